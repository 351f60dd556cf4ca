//! The shape that versions and constraint operands share, read from the front of a text.

/// A part of a version's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::name) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    pub(in crate::name) fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// `v?P(.P)?(.P)?(-pre)?(+metadata)?` at the front of a text, where P is a run of `in_part` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::name) struct Shape {
    pub(in crate::name) has_v: bool,
    pub(in crate::name) parts: [Option<Span>; 3],
    pub(in crate::name) pre: Option<Span>,
    pub(in crate::name) metadata: Option<Span>,
    /// Where the shape ends.
    pub(in crate::name) end: usize,
}

impl Shape {
    /// The longest shape at `start`, or where it cannot even begin.
    pub(in crate::name) fn scan(text: &str, start: usize, in_part: fn(u8) -> bool) -> Result<Self, usize> {
        let bytes = text.as_bytes();
        let has_v = bytes.get(start) == Some(&b'v');
        let first = run(bytes, start + usize::from(has_v), in_part);
        if first.start == first.end {
            return Err(first.start);
        }
        let second = after(bytes, first.end, b'.', in_part);
        let third = second.and_then(|second| after(bytes, second.end, b'.', in_part));
        let end_of_parts = third.or(second).unwrap_or(first).end;
        let pre = identifiers(bytes, end_of_parts, b'-');
        let metadata = identifiers(bytes, pre.map_or(end_of_parts, |pre| pre.end), b'+');
        let end = metadata.or(pre).map_or(end_of_parts, |last| last.end);
        Ok(Self { has_v, parts: [Some(first), second, third], pre, metadata, end })
    }
}

fn run(bytes: &[u8], start: usize, accept: fn(u8) -> bool) -> Span {
    let length = bytes.iter().skip(start).take_while(|byte| accept(**byte)).count();
    Span { start, end: start + length }
}

/// A run behind `sign`, if it is there and not empty.
fn after(bytes: &[u8], at: usize, sign: u8, accept: fn(u8) -> bool) -> Option<Span> {
    if bytes.get(at) != Some(&sign) {
        return None;
    }
    Some(run(bytes, at + 1, accept)).filter(|span| span.start < span.end)
}

/// Identifiers joined by dots behind `sign`.
fn identifiers(bytes: &[u8], at: usize, sign: u8) -> Option<Span> {
    let accept = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let mut all = after(bytes, at, sign, accept)?;
    while let Some(next) = after(bytes, all.end, b'.', accept) {
        all.end = next.end;
    }
    Some(all)
}
