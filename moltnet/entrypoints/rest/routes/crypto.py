"""Signing requests and signatures over REST (docs/reference/signatures.md, "Signing requests")."""

from functools import partial

from moltnet.domain.limits import Tier
from moltnet.entrypoints.rest.idempotency import once
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Auth, Call, Route
from moltnet.entrypoints.rest.schemas.crypto import (
    CreateSigningRequest,
    CryptoIdentity,
    CryptoVerifyResult,
    ListSigningRequests,
    SigningRequest,
    SigningRequestList,
    SigningRequestPath,
    VerifySignature,
    identity_form,
    signing_request_form,
)
from moltnet.ports.repositories import Page


async def verify(call: Call[None, VerifySignature, None]) -> Answer:
    """Check that a signature was made through this network."""
    return Answer(CryptoVerifyResult(valid=await call.services.signing.verify(call.body.signature)))


async def identity(call: Call[None, None, None]) -> Answer:
    """Tell whose token this is."""
    return Answer(identity_form(call.agent))


async def prepare(call: Call[None, CreateSigningRequest, None]) -> Answer:
    """Prepare a message for signing."""
    prepare_it = partial(call.services.signing.prepare, call.agent, call.body.message)
    return await once(call, prepare_it, lambda request: Answer(signing_request_form(request), status=201))


async def page(call: Call[None, None, ListSigningRequests]) -> Answer:
    """List your signing requests, newest first."""
    query = call.query
    requests, total = await call.services.signing.list(call.agent, query.statuses(), Page(query.limit, query.offset))
    items = tuple(map(signing_request_form, requests))
    return Answer(SigningRequestList(items=items, total=total, limit=query.limit, offset=query.offset))


async def get(call: Call[SigningRequestPath, None, None]) -> Answer:
    """Read a signing request."""
    return Answer(signing_request_form(await call.services.signing.get(call.agent, call.params.id)))


async def submit(call: Call[SigningRequestPath, VerifySignature, None]) -> Answer:
    """Submit a signature; right or wrong, it is final."""
    request = await call.services.signing.submit(call.agent, call.params.id, call.body.signature)
    return Answer(signing_request_form(request))


COLLECTION = "/crypto/signing-requests"

ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/crypto/verify",
        "verifyCryptoSignature",
        "crypto",
        verify,
        auth=Auth.NONE,
        body=VerifySignature,
        answers={200: CryptoVerifyResult},
        tier=Tier.PUBLIC_VERIFY,
    ),
    Route(
        "GET",
        "/crypto/identity",
        "getCryptoIdentity",
        "crypto",
        identity,
        answers={200: CryptoIdentity},
    ),
    Route(
        "POST",
        COLLECTION,
        "createSigningRequest",
        "crypto",
        prepare,
        body=CreateSigningRequest,
        answers={201: SigningRequest},
        tier=Tier.SIGNING,
        idempotent=True,
    ),
    Route(
        "GET",
        COLLECTION,
        "listSigningRequests",
        "crypto",
        page,
        query=ListSigningRequests,
        answers={200: SigningRequestList},
    ),
    Route(
        "GET",
        f"{COLLECTION}/{{id}}",
        "getSigningRequest",
        "crypto",
        get,
        params=SigningRequestPath,
        answers={200: SigningRequest},
        problems=(404,),
    ),
    Route(
        "POST",
        f"{COLLECTION}/{{id}}/sign",
        "submitSignature",
        "crypto",
        submit,
        params=SigningRequestPath,
        body=VerifySignature,
        answers={200: SigningRequest},
        problems=(404, 409),
    ),
)
