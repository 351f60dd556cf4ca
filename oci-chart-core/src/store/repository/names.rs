use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

/// The names on a page, line by line: no more memory than the page itself, however many and short they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    lines: String,
    count: usize,
}

impl Names {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.split_terminator('\n')
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Names::default();
                while let Some(name) = list.next_element::<Cow<'_, str>>()? {
                    // One of two lines names nothing that could be asked for, nor would its lines.
                    names.lines.push_str(&name.replace('\n', "?"));
                    names.lines.push('\n');
                    names.count += 1;
                }
                Ok(names)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_many_as_stand_there() {
        let read = |text| -> Names { serde_json::from_str(text).unwrap() };
        assert_eq!(read("[]").iter().count(), 0);
        let names = read(r#"["a","","b\nc","d"]"#);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["a", "", "b?c", "d"]);
        assert_eq!(names.len(), 4);
        assert!(serde_json::from_str::<Names>(r#"["a",1]"#).is_err());
    }
}
