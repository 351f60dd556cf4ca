//! Mappings: keys as text, merge keys resolved, sorted, the last of equal keys kept.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use super::{
    compose::ALIAS,
    document::{Data, Entry, Range, Slot, Span},
    error::{Fault, ParseError, Position},
    number,
};

/// What [`build`] gives.
pub(super) struct Built {
    pub(super) entries: Vec<Entry>,
    /// The text of keys that were converted, behind what was built before.
    pub(super) text: String,
    /// Whether anywhere a key replaced an equal one.
    pub(super) repeated: bool,
}

/// Turns every mapping's list of keys and values into entries.
pub(super) fn build(
    slots: &mut [Slot],
    links: &[u32],
    mappings: &[u32],
    root: u32,
    source: &str,
    built: String,
) -> Result<Built, ParseError> {
    let mut builder = Builder {
        slots,
        links,
        source,
        built,
        entries: Vec::with_capacity(links.len() / 2),
        pending: Vec::new(),
        unusable: HashSet::new(),
        shadowed: HashMap::new(),
        repeated: false,
    };
    for mapping in mappings {
        builder.mapping(*mapping)?;
    }
    builder.check_keys(root)?;
    Ok(Built { entries: builder.entries, text: builder.built, repeated: builder.repeated })
}

struct Builder<'a> {
    slots: &'a mut [Slot],
    links: &'a [u32],
    source: &'a str,
    built: String,
    entries: Vec<Entry>,
    /// The entries of the mapping at hand, in the order go-yaml sets them.
    pending: Vec<Entry>,
    /// Mappings with a key that JSON cannot have. They only matter if the value keeps them.
    unusable: HashSet<u32>,
    /// By mapping, values whose key prints like a later one but is another key to Go: Helm converts them before it drops them.
    shadowed: HashMap<u32, Vec<u32>>,
    repeated: bool,
}

/// How far Go's equal keys are looked for among those that print alike.
const KEYS_ALIKE: usize = 8;

impl Builder<'_> {
    fn mapping(&mut self, slot: u32) -> Result<(), ParseError> {
        let Data::Mapping(pairs) = self.data(slot) else { return Ok(()) };
        self.pending.clear();
        for pair in pairs.of(self.links).chunks_exact(2) {
            let &[key_link, value_link] = pair else { continue };
            if key_link & ALIAS == 0
                && let Data::MergeKey(_) = self.data(key_link)
            {
                self.merge(slot, value_link)?;
                continue;
            }
            let (key_node, value) = (key_link & !ALIAS, value_link & !ALIAS);
            match self.key(key_node)? {
                Some(key) => self.pending.push(Entry { key, key_node, value }),
                None => {
                    self.unusable.insert(slot);
                }
            }
        }
        let start = self.entries.len();
        self.sort_pending(slot);
        let range = Range { start: index(start), length: index(self.entries.len() - start) };
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.data = Data::Mapping(range);
        }
        Ok(())
    }

    /// Sets the entries of the mapping, or mappings, behind a merge key. In a list the first wins, so it is read
    /// from its end. The list has to stand there itself; an alias of one is refused.
    fn merge(&mut self, into: u32, link: u32) -> Result<(), ParseError> {
        if link & ALIAS == 0
            && let Data::Sequence(range) = self.data(link)
        {
            for item in range.of(self.links).iter().rev() {
                self.merge_one(into, item & !ALIAS)?;
            }
            return Ok(());
        }
        self.merge_one(into, link & !ALIAS)
    }

    fn merge_one(&mut self, into: u32, from: u32) -> Result<(), ParseError> {
        let Data::Mapping(range) = self.data(from) else {
            return Err(self.fault("map merge requires map or sequence of maps as the value", from));
        };
        self.pending.extend_from_slice(range.of(&self.entries));
        if self.unusable.contains(&from) {
            self.unusable.insert(into);
        }
        if let Some(values) = self.shadowed.get(&from).cloned() {
            self.shadowed.entry(into).or_default().extend(values);
        }
        Ok(())
    }

    /// The key as text, converted as sigs.k8s.io/yaml does it; `None` if it has no conversion.
    fn key(&mut self, node: u32) -> Result<Option<Span>, ParseError> {
        let start = self.built.len();
        match self.data(node) {
            Data::String(span) | Data::Broken(span) | Data::MergeKey(span) => return Ok(Some(span)),
            Data::Null | Data::Uint(_) => return Ok(None),
            Data::Sequence(_) | Data::Mapping(_) => return Err(self.fault("invalid map key", node)),
            Data::Bool(value) => self.built.push_str(if value { "true" } else { "false" }),
            Data::Int(value) => {
                // Writing to a String cannot fail.
                let _ = write!(self.built, "{value}");
            }
            Data::Float(value) => {
                let text = match number::float32_g(value) {
                    text if text == "+Inf" => ".inf".to_owned(),
                    text if text == "-Inf" => "-.inf".to_owned(),
                    text if text == "NaN" => ".nan".to_owned(),
                    text => text,
                };
                self.built.push_str(&text);
            }
        }
        Ok(Some(Span::built(start, self.built.len())))
    }

    fn sort_pending(&mut self, slot: u32) {
        let (source, built) = (self.source, self.built.as_str());
        self.pending.sort_by(|a, b| a.key.of(source, built).cmp(b.key.of(source, built)));
        for (at, entry) in self.pending.iter().enumerate() {
            let text = entry.key.of(source, built);
            let later = self.pending.get(at + 1..).unwrap_or_default();
            let mut alike = later.iter().take_while(|next| next.key.of(source, built) == text).peekable();
            if alike.peek().is_none() {
                self.entries.push(*entry);
                continue;
            }
            self.repeated = true;
            if !alike.take(KEYS_ALIKE).any(|next| self.is_same_key(entry.key_node, next.key_node)) {
                self.shadowed.entry(slot).or_default().push(entry.value);
            }
        }
    }

    /// Whether two keys that print alike are one key to Go, which also compares their types.
    fn is_same_key(&self, a: u32, b: u32) -> bool {
        match (self.data(a), self.data(b)) {
            (Data::Float(a), Data::Float(b)) => a == b,
            (a, b) => kind_of_key(a) == kind_of_key(b),
        }
    }

    /// Refuses the document if its value has a mapping with an unusable key.
    fn check_keys(&self, root: u32) -> Result<(), ParseError> {
        if self.unusable.is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::from([root]);
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            if self.unusable.contains(&node) {
                return Err(
                    self.fault("unsupported map key: Helm takes text, numbers and truth values", node)
                );
            }
            let mut wait = |child: u32| {
                if seen.insert(child) {
                    waiting.push(child);
                }
            };
            match self.data(node) {
                Data::Sequence(range) => range.of(self.links).iter().map(|l| l & !ALIAS).for_each(&mut wait),
                Data::Mapping(range) => {
                    range.of(&self.entries).iter().map(|entry| entry.value).for_each(&mut wait);
                    self.shadowed.get(&node).into_iter().flatten().copied().for_each(&mut wait);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn data(&self, slot: u32) -> Data {
        self.slots.get(slot as usize).map_or(Data::Null, |slot| slot.data)
    }

    fn fault(&self, what: &'static str, slot: u32) -> ParseError {
        let position = self.slots.get(slot as usize).map_or(Position::START, |slot| slot.position);
        ParseError::new(Fault::Value(what), position)
    }
}

fn kind_of_key(data: Data) -> u8 {
    match data {
        Data::Bool(_) => 0,
        Data::Int(_) => 1,
        Data::Float(_) => 2,
        _ => 3,
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
