// What MoltNet's webhooks take: the identity alone.
function(ctx) { identity: ctx.identity }
