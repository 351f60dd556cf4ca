//! What real registries do and the specification does not, one switch each.

macro_rules! quirks {
    ($($(#[$doc:meta])* $quirk:ident;)*) => {
        /// What a real registry does and the specification does not. [`Profile`](crate::Profile) says who does which;
        /// [`Builder::quirk`](crate::Builder::quirk) switches one on. Where the doc says *bites*, a client that does the thing
        /// is harmed, and [`Registry::bites`](crate::Registry::bites) has it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Quirk { $($(#[$doc])* $quirk,)* }

        impl Quirk {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$quirk,)*];
        }
    };
}

quirks! {
    /// A chunk is answered 201, and what comes in a second one is thrown away: *bites* who uploads in several (aws/containers-roadmap#2831).
    LaterChunksDropped;
    /// A blob without bytes is refused with 400: *bites* who sends one.
    NoEmptyBlobs;
    /// Chunks are taken in whatever order they come, and joined in that order: *bites* who relies on 416.
    AnyOrder;
    /// A mount that names no source is refused with 400: *bites* who names none.
    MountNeedsSource;
    /// A mount from a repository that is not here is refused with 400: *bites* who names one.
    MountChecksSource;
    /// A mount looks at the target and then everywhere, whatever source it names.
    MountIgnoresSource;
    /// `from` without `mount` is refused with 405: *bites* who sends that.
    FromNeedsMount;
    /// A POST that carries a blob is refused with 415 unless it says `application/octet-stream`: *bites* who does not.
    PostNeedsType;
    /// Giving up an upload is refused with 403.
    CancelForbidden;
    /// More than 1000 entries in a page are refused with 400: *bites* who asks for more.
    PageLimit;
    /// `n` means nothing: all tags come at once, in no order.
    PageSizeIgnored;
    /// Pages go on with a token in `Link` alone; `last` means nothing: *bites* who makes the next page's URL of it.
    OpaquePages;
    /// There is no catalog (404).
    NoCatalog;
    /// HEAD for what is not there is answered 403: *bites* who takes that for the end.
    ForbiddenForMissing;
    /// A range that begins at the first byte is refused with 400: *bites* who asks for everything by a range.
    NoRangeFromStart;
    /// Reading in a project that is not there gives 200 and a page of HTML: *bites* who believes the status.
    HtmlForUnknown;
    /// Manifests are not found (404) by who accepts no OCI manifests: *bites* who sends no `Accept`.
    AcceptNeeded;
    /// HEAD for a manifest announces another length than GET has: *bites* who asks with HEAD.
    HeadLengthDiffers;
    /// A tag cannot be deleted, which is answered 400.
    TagDeleteIsBad;
    /// What no endpoint is for is answered 404 in plain text.
    PlainNotFound;
    /// A manifest that refers to what is missing is answered 400.
    MissingBlobIsBad;
    /// A missing manifest, repository or tag has the code `NOT_FOUND`.
    NotFoundCode;
    /// Each GET of a manifest counts, HEAD does not; `RateLimit-*` headers tell how many are left, then comes 429: *bites*.
    /// Set by [`Builder::rate_limit`](crate::Builder::rate_limit).
    CountedPulls;
    /// A token that has ended is answered 400 `DENIED`, without a challenge: *bites* who shows one.
    ExpiredIsBad;
    /// The challenge asks for `pull`, even where `push` is needed: *bites* who comes back with that alone.
    PullOnlyChallenge;
    /// Who lacks a right, or shows a wrong password, gets 401 and a `Basic` challenge.
    RightsAreChallenged;
    /// What is in a project that is not there is answered 401 with an empty challenge.
    ProjectIsUnauthorized;
    /// Every answer sets a cookie, and a write that brings it back is refused with 403: *bites* who keeps cookies.
    CookieNeedsCsrf;
    /// The token service takes a wrong password for nobody's, where a scope is asked for.
    WrongPasswordIsAnonymous;
    /// The token service has no POST (405): *bites* who tries.
    NoTokenPost;
    /// A token that does not do is challenged for another token service than no token is, and that one gives nobody a token: *bites* who goes
    /// there (NVIDIA/nvidia-container-toolkit#1945).
    OtherRealm;
    /// Harbor's own API beside the one of the specification: `/api/v2.0/ping`, and `/api/v2.0/repositories` with a password instead of a
    /// token.
    OwnApi;
}

/// A request that met a quirk which harms it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bite {
    /// The quirk.
    pub quirk: Quirk,
    /// Method and target of the request.
    pub request: String,
}
