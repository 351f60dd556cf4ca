//! The bound on aliases: go-yaml counts what it decodes, each expansion of an alias again, and refuses a document most
//! of whose decoding comes from aliases.

use super::{
    compose::ALIAS,
    document::{Data, Range, Slot},
    error::{Fault, ParseError, Position},
};

/// Walks the document as go-yaml decodes it.
pub(super) fn check(slots: &[Slot], links: &[u32], root: u32) -> Result<(), ParseError> {
    // The document node is the first.
    let mut walk = Walk { slots, links, steps: Vec::new(), decoded: 1, aliased: 0 };
    walk.visit(root, 0)?;
    while let Some(step) = walk.steps.last_mut() {
        let Some(position) = step.advance() else {
            walk.steps.pop();
            continue;
        };
        let (depth, order) = (step.depth, step.order);
        // Keys stand at an even distance from the end.
        let is_key = step.end.wrapping_sub(position).is_multiple_of(2);
        let Some(link) = links.get(position as usize).copied() else { continue };
        match order {
            Order::Mapping if is_key && walk.is_merge_key(link) => walk.visit_merge(position, depth)?,
            _ => walk.visit(link, depth)?,
        }
    }
    Ok(())
}

struct Walk<'a> {
    slots: &'a [Slot],
    links: &'a [u32],
    steps: Vec<Step>,
    decoded: u64,
    aliased: u64,
}

/// A collection on the way.
struct Step {
    next: u32,
    end: u32,
    order: Order,
    /// How many aliases lead here.
    depth: u32,
}

#[derive(Clone, Copy)]
enum Order {
    Sequence,
    Mapping,
    /// The list behind a merge key, which is merged from its end.
    Backwards,
}

impl Step {
    fn advance(&mut self) -> Option<u32> {
        if self.next >= self.end {
            return None;
        }
        Some(if let Order::Backwards = self.order {
            self.end -= 1;
            self.end
        } else {
            self.next += 1;
            self.next - 1
        })
    }
}

impl Walk<'_> {
    fn visit(&mut self, link: u32, depth: u32) -> Result<(), ParseError> {
        self.count(link, depth)?;
        let depth = depth + u32::from(link & ALIAS != 0);
        if link & ALIAS != 0 {
            self.count(link, depth)?;
        }
        match self.slots.get((link & !ALIAS) as usize).map(|slot| slot.data) {
            Some(Data::Sequence(range)) => self.enter(range, Order::Sequence, depth),
            Some(Data::Mapping(range)) => self.enter(range, Order::Mapping, depth),
            _ => {}
        }
        Ok(())
    }

    /// Visits the value behind a merge key, whose key and list nobody decodes.
    fn visit_merge(&mut self, key_position: u32, depth: u32) -> Result<(), ParseError> {
        let Some(value) = self.links.get(key_position as usize + 1).copied() else { return Ok(()) };
        if let Some(step) = self.steps.last_mut() {
            step.next += 1;
        }
        match self.slots.get(value as usize).map(|slot| slot.data) {
            Some(Data::Sequence(range)) => self.enter(range, Order::Backwards, depth),
            _ => self.visit(value, depth)?,
        }
        Ok(())
    }

    fn enter(&mut self, range: Range, order: Order, depth: u32) {
        self.steps.push(Step { next: range.start, end: range.start + range.length, order, depth });
    }

    fn is_merge_key(&self, link: u32) -> bool {
        matches!(self.slots.get(link as usize), Some(Slot { data: Data::MergeKey(_), .. }))
    }

    fn count(&mut self, link: u32, depth: u32) -> Result<(), ParseError> {
        self.decoded += 1;
        self.aliased += u64::from(depth > 0);
        #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let ratio = self.aliased as f64 / self.decoded as f64;
        if self.aliased > 100 && self.decoded > 1000 && ratio > allowed_ratio(self.decoded) {
            let position =
                self.slots.get((link & !ALIAS) as usize).map_or(Position::START, |slot| slot.position);
            return Err(ParseError::new(Fault::Value("document contains excessive aliasing"), position));
        }
        Ok(())
    }
}

/// 99 % up to 400,000 decoded nodes, 10 % from 4,000,000 on, a straight line between.
#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn allowed_ratio(decoded: u64) -> f64 {
    const LOW: u64 = 400_000;
    const HIGH: u64 = 4_000_000;
    match decoded {
        0..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Bounds, Document, Fault, ParseError};

    fn parse(text: &str) -> Result<String, ParseError> {
        Document::parse(text.as_bytes(), &Bounds::default()).and_then(|document| document.to_json())
    }

    #[test]
    fn aliases_may_not_make_up_nearly_everything() {
        let bomb: String =
            (1..20).map(|n| format!("a{n}: &a{n} [{0}, {0}]\n", format_args!("*a{}", n - 1))).collect();
        let error = parse(&format!("a0: &a0 [x, x]\n{bomb}")).unwrap_err();
        assert_eq!(error.fault(), Fault::Value("document contains excessive aliasing"));
    }

    #[test]
    fn what_is_merged_counts_as_well() {
        let keys: String = (0..1000).map(|n| format!("k{n}: 0, ")).collect();
        let merged = |count: usize| format!("a: &a {{{keys}}}\nb:\n{}", "- <<: *a\n".repeat(count));
        assert!(parse(&merged(10)).is_ok());
        let error = parse(&merged(1000)).unwrap_err();
        assert_eq!(error.fault(), Fault::Value("document contains excessive aliasing"));
    }

    #[test]
    fn a_hundred_aliased_values_are_always_fine() {
        let many = format!("a: &a [{}]\nb: *a\n", "x, ".repeat(99));
        assert!(parse(&many).is_ok());
    }

    #[test]
    fn a_merge_sign_as_a_value_is_text() {
        assert_eq!(
            parse("a: &a {b: <<}\nc: *a\nd: <<\n").unwrap(),
            r#"{"a":{"b":"\u003c\u003c"},"c":{"b":"\u003c\u003c"},"d":"\u003c\u003c"}"#
        );
    }
}
