use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    name::Tag,
};

/// What may happen to a tag that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TagMode {
    /// The tag must be new.
    Create,
    /// The tag must be new, or point at this manifest already, which is fine.
    Ensure,
    /// The tag is moved, wherever it points.
    Replace,
    /// The tag must point at this digest now. In a registry this is check, write, check again: the OCI API has no
    /// conditional write, so a lost race is reported, not prevented.
    Expect(Digest),
}

/// What a tag mode says about one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Write,
    Keep,
}

/// Holds `mode` against where `tag` points now.
pub(crate) fn judge(mode: &TagMode, tag: &Tag, now: Option<&Digest>, wanted: &Digest) -> Result<Verdict> {
    match (mode, now) {
        (TagMode::Replace | TagMode::Create | TagMode::Ensure, None) | (TagMode::Replace, Some(_)) => {
            Ok(Verdict::Write)
        }
        (TagMode::Ensure, Some(now)) if now == wanted => Ok(Verdict::Keep),
        (TagMode::Create | TagMode::Ensure, Some(now)) => Err(exists(tag, now, wanted)),
        (TagMode::Expect(expected), now) => match now {
            Some(now) if now == expected => Ok(if now == wanted { Verdict::Keep } else { Verdict::Write }),
            now => Err(moved(tag, now, expected)),
        },
    }
}

/// The error of a tag that may not be moved: names what is there and what was to be put there.
pub(crate) fn exists(tag: &Tag, now: &Digest, wanted: &Digest) -> Error {
    let same = now == wanted;
    let message =
        if same { "the tag exists already, with the same content" } else { "the tag exists already" };
    Error::new(ErrorKind::AlreadyExists, message)
        .with_reason(Reason::TagExists)
        .with_context("tag", tag)
        .with_context("existing", now)
        .with_context("new", wanted)
        .with_hint(if same {
            "nothing needs to be done; use the mode that accepts the same content"
        } else {
            "choose another version, or replace the tag on purpose"
        })
}

/// The error of a tag that somebody else moved.
pub(crate) fn moved(tag: &Tag, now: Option<&Digest>, expected: &Digest) -> Error {
    let error = Error::new(ErrorKind::Conflict, "the tag does not point where it was expected to")
        .with_reason(Reason::TagMoved)
        .with_context("tag", tag)
        .with_context("expected", expected);
    let error = match now {
        Some(now) => error.with_context("actual", now),
        None => error.with_context("actual", "no such tag"),
    };
    error.with_hint("look at what the tag points at now and decide again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_against_every_state() {
        let tag: Tag = "1.0.0".parse().unwrap();
        let (a, b) = (Digest::of("a"), Digest::of("b"));
        let verdict = |mode, now: Option<&Digest>| judge(&mode, &tag, now, &a).map_err(|error| error.kind());
        let (write, keep) = (Ok(Verdict::Write), Ok(Verdict::Keep));
        let (exists, conflict) = (Err(ErrorKind::AlreadyExists), Err(ErrorKind::Conflict));
        for (mode, expected) in [
            (TagMode::Create, [write, exists, exists]),
            (TagMode::Ensure, [write, keep, exists]),
            (TagMode::Replace, [write, write, write]),
            (TagMode::Expect(a), [conflict, keep, conflict]),
            (TagMode::Expect(b), [conflict, conflict, write]),
        ] {
            assert_eq!([None, Some(&a), Some(&b)].map(|now| verdict(mode, now)), expected, "{mode:?}");
        }
    }

    #[test]
    fn a_refusal_names_both_digests() {
        let (a, b) = (Digest::of("a"), Digest::of("b"));
        let error = judge(&TagMode::Create, &"1".parse().unwrap(), Some(&a), &b).unwrap_err();
        assert_eq!((error.get("existing"), error.get("new")), (Some(&*a.to_string()), Some(&*b.to_string())));
    }
}
