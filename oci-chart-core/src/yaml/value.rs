use std::{borrow::Cow, fmt};

use super::{
    document::{Data, Document, Entry},
    error::{ParseError, Position},
    number,
};

/// What kind of value a [`Node`] is, by YAML 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing: an empty value, `~`, `null`.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites.
    Bool,
    /// A whole number that fits 64 bits, signed or not.
    Int,
    /// Any other number, infinities and NaN included.
    Float,
    /// Text.
    String,
    /// A list.
    Sequence,
    /// A mapping.
    Mapping,
}

/// A value in a [`Document`]. It is a cursor: cheap to copy, and bound to the document.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: u32,
}

impl<'a> Node<'a> {
    pub(super) fn new(document: &'a Document, index: u32) -> Self {
        Self { document, index }
    }

    pub(super) fn data(self) -> Data {
        self.document.slot(self.index).data
    }

    pub(super) fn document(self) -> &'a Document {
        self.document
    }

    pub(super) fn index(self) -> u32 {
        self.index
    }

    /// What kind of value this is.
    pub fn kind(self) -> Kind {
        match self.data() {
            Data::Null => Kind::Null,
            Data::Bool(_) => Kind::Bool,
            Data::Int(_) | Data::Uint(_) => Kind::Int,
            Data::Float(_) => Kind::Float,
            Data::String(_) | Data::Broken(_) | Data::MergeKey(_) => Kind::String,
            Data::Sequence(_) => Kind::Sequence,
            Data::Mapping(_) => Kind::Mapping,
        }
    }

    /// Where the value starts. A value reached through an alias has the place of its anchor.
    pub fn position(self) -> Position {
        self.document.slot(self.index).position
    }

    /// Whether the value is null.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text, if the value is text. Numbers are no text: see [`helm_string`](Self::helm_string).
    pub fn as_str(self) -> Option<&'a str> {
        match self.data() {
            Data::String(span) | Data::Broken(span) | Data::MergeKey(span) => Some(self.document.text(span)),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        match self.data() {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, if it is one and fits.
    pub fn as_i64(self) -> Option<i64> {
        match self.data() {
            Data::Int(value) => Some(value),
            Data::Uint(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The whole number, if it is one, is not negative and fits.
    pub fn as_u64(self) -> Option<u64> {
        match self.data() {
            Data::Int(value) => u64::try_from(value).ok(),
            Data::Uint(value) => Some(value),
            _ => None,
        }
    }

    /// The number, whole or not.
    #[allow(clippy::cast_precision_loss, reason = "what Go does when a whole number meets a float64")]
    pub fn as_f64(self) -> Option<f64> {
        match self.data() {
            Data::Int(value) => Some(value as f64),
            Data::Uint(value) => Some(value as f64),
            Data::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The items of a list; nothing for any other kind.
    pub fn items(self) -> impl ExactSizeIterator<Item = Self> + DoubleEndedIterator + 'a {
        let links = match self.data() {
            Data::Sequence(range) => self.document.links(range),
            _ => &[],
        };
        links.iter().map(move |link| Self { document: self.document, index: *link })
    }

    /// The entries of a mapping in bytewise order of their keys; nothing for any other kind.
    ///
    /// Keys are text already, as Helm makes them (`1.0: a` has the key `1`, `yes: a` the key `true`). Of
    /// several equal keys the last one is here, and merge keys (`<<`) are resolved.
    pub fn entries(self) -> impl ExactSizeIterator<Item = (&'a str, Self)> + DoubleEndedIterator + 'a {
        self.raw_entries().iter().map(move |entry| self.resolve(entry))
    }

    /// The value of a key, spelled exactly so.
    pub fn get(self, key: &str) -> Option<Self> {
        let entries = self.raw_entries();
        let at = entries.binary_search_by(|entry| self.document.text(entry.key).cmp(key)).ok()?;
        entries.get(at).map(|entry| self.resolve(entry).1)
    }

    /// Where a key stands, spelled exactly so.
    pub fn key_position(self, key: &str) -> Option<Position> {
        let entries = self.raw_entries();
        let at = entries.binary_search_by(|entry| self.document.text(entry.key).cmp(key)).ok()?;
        entries.get(at).map(|entry| self.document.slot(entry.key_node).position)
    }

    /// The value that Go's JSON decoder would leave in the struct field `name`.
    ///
    /// Field names match without regard to case (`APIVERSION` is `apiVersion`; so are spellings with U+017F for s
    /// and U+212A for k). Of several spellings the bytewise greatest wins, wherever it stands, because Go reads
    /// the keys in sorted order and lets each overwrite the one before. The rest is in [`fields`](Self::fields).
    pub fn field(self, name: &str) -> Option<Self> {
        self.fields(name).last()
    }

    /// Every value that Go's JSON decoder would put into the struct field `name`, one after the other: a null does not
    /// overwrite a string or a truth value, and mappings are merged key by key.
    pub fn fields<'n>(self, name: &'n str) -> impl Iterator<Item = Self> + use<'a, 'n> {
        self.entries().filter(move |(key, _)| folds_to(key, name)).map(|(_, value)| value)
    }

    /// The text that Helm would put into a string field: numbers and truth values are converted (`1.10` gives
    /// `1.1`, `yes` gives `true`, floats print with the precision of float32), null is empty. `None` for a
    /// list or a mapping, which Helm refuses there.
    pub fn helm_string(self) -> Option<Cow<'a, str>> {
        Some(match self.data() {
            Data::Null => Cow::Borrowed(""),
            Data::Bool(true) => Cow::Borrowed("true"),
            Data::Bool(false) => Cow::Borrowed("false"),
            Data::Int(value) => Cow::Owned(value.to_string()),
            Data::Uint(value) => Cow::Owned(value.to_string()),
            Data::Float(value) => Cow::Owned(number::float32_g(value)),
            Data::String(span) | Data::Broken(span) | Data::MergeKey(span) => {
                Cow::Borrowed(self.document.text(span))
            }
            Data::Sequence(_) | Data::Mapping(_) => return None,
        })
    }

    /// The value as JSON text, exactly as `sigs.k8s.io/yaml` writes it: sorted keys, Go's number format and escapes.
    ///
    /// # Errors
    ///
    /// A number that JSON lacks (`.inf`, `.nan`), or a text above the document's bound for expanded size.
    pub fn to_json(self) -> Result<String, ParseError> {
        super::to_json::write(self)
    }

    fn raw_entries(self) -> &'a [Entry] {
        match self.data() {
            Data::Mapping(range) => self.document.entries(range),
            _ => &[],
        }
    }

    fn resolve(self, entry: &Entry) -> (&'a str, Self) {
        (self.document.text(entry.key), Self { document: self.document, index: entry.value })
    }
}

/// Shows the kind and the place, and the text of scalars; never a whole tree.
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(f, "{:?}@{line}:{column}", self.kind())?;
        match self.helm_string() {
            Some(text) => write!(f, " {text:?}"),
            None => Ok(()),
        }
    }
}

/// Go's folding of JSON field names: ASCII case, and the two letters outside ASCII that fold into it.
fn folds_to(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Bounds;

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes(), &Bounds::default()).unwrap()
    }

    #[test]
    fn scalars_have_one_kind_and_their_text() {
        let document = parse("[1, -1, 18446744073709551615, 1.10, yes, ~, text, '1', {}, [], 2021-01-01]");
        let kinds: Vec<Kind> = document.root().items().map(Node::kind).collect();
        assert_eq!(kinds[..4], [Kind::Int, Kind::Int, Kind::Int, Kind::Float]);
        assert_eq!(kinds[4..8], [Kind::Bool, Kind::Null, Kind::String, Kind::String]);
        assert_eq!(kinds[8..], [Kind::Mapping, Kind::Sequence, Kind::String]);
        let texts: Vec<_> = document.root().items().map(Node::helm_string).collect();
        let want = ["1", "-1", "18446744073709551615", "1.1", "true", "", "text", "1"];
        assert!(texts.iter().zip(want).all(|(text, want)| text.as_deref() == Some(want)), "{texts:?}");
        assert_eq!(texts[8..10], [None, None]);
        let item = |at| document.root().items().nth(at).unwrap();
        assert_eq!((item(1).as_i64(), item(1).as_u64(), item(1).as_f64()), (Some(-1), None, Some(-1.0)));
        assert_eq!((item(2).as_i64(), item(2).as_u64()), (None, Some(u64::MAX)));
        assert_eq!((item(4).as_bool(), item(4).as_str(), item(6).as_str()), (Some(true), None, Some("text")));
    }

    #[test]
    fn entries_are_sorted_and_the_last_of_equal_keys_stays() {
        let document = parse("b: 1\na: 2\nB: 3\na: 4\n");
        let entries: Vec<_> = document.root().entries().map(|(key, value)| (key, value.as_i64())).collect();
        assert_eq!(entries, [("B", Some(3)), ("a", Some(4)), ("b", Some(1))]);
        assert_eq!(document.root().key_position("a").map(|position| position.line), Some(4));
        assert!(document.root().get("c").is_none() && document.root().key_position("c").is_none());
    }

    #[test]
    fn the_greatest_spelling_of_a_field_wins() {
        let document = parse("name: small\nNAME: large\nver\u{17f}ion: s\n\u{212a}ind: k\nnam: no\n");
        let text = |name| document.root().field(name).and_then(Node::as_str);
        assert_eq!(text("name"), Some("small"));
        assert_eq!((text("version"), text("kind"), text("absent")), (Some("s"), Some("k"), None));
        let both: Vec<_> = document.root().fields("Name").filter_map(Node::as_str).collect();
        assert_eq!(both, ["large", "small"]);
    }

    #[test]
    fn an_alias_leads_to_its_anchors_value() {
        let document = parse("a: &x\n  b: 1\nc: *x\n");
        let aliased = document.root().get("c").unwrap();
        assert_eq!(aliased.get("b").and_then(Node::as_i64), Some(1));
        assert_eq!(aliased.position(), document.root().get("a").unwrap().position());
        assert_eq!(format!("{:?}", aliased.get("b").unwrap()), "Int@2:6 \"1\"");
    }
}
