-- Tags are stored in NFC, without white space around them, as they are asked for since (moltnet/domain/entries.py,
-- `written_tag`); one that would be too long in NFC stays. What entries are found by is the same for either writing.

update diary_entries e
set tags = array(
    select case when char_length(written) <= 50 then written else tag end
    from unnest(e.tags) with ordinality as stored (tag, place),
        lateral (select btrim(normalize(tag, nfc), E'\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000')) as one (written)
    order by place
)
where exists (
    select from unnest(e.tags) as tag where tag is distinct from btrim(normalize(tag, nfc), E'\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000')
);
