//! One comparator: an operator and the version behind it.

use std::fmt;

use crate::name::ChartVersion;

/// `>=1.2`: what it is called, what it is compared with, and how much of that was written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Comparator {
    /// The operator as written, with the operand as written behind it.
    pub(super) text: Box<str>,
    pub(super) operator: Operator,
    /// The operand, zeros in place of what was not written.
    pub(super) floor: ChartVersion,
    pub(super) written: Written,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

/// How many numbers the operand has before it ends or a wildcard comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Written {
    Nothing,
    Major,
    MajorMinor,
    All,
}

impl Operator {
    /// Every spelling, and its operator.
    const SPELLINGS: [(&'static str, Self); 12] = [
        ("", Self::Equal),
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        (">", Self::Greater),
        ("<", Self::Less),
        (">=", Self::GreaterEqual),
        ("=>", Self::GreaterEqual),
        ("<=", Self::LessEqual),
        ("=<", Self::LessEqual),
        ("~", Self::Tilde),
        ("~>", Self::Tilde),
        ("^", Self::Caret),
    ];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::SPELLINGS.iter().find(|(spelling, _)| *spelling == text).map(|(_, operator)| *operator)
    }
}

impl Comparator {
    /// Whether `version` is accepted; pre-releases have been sorted out before.
    pub(super) fn accepts(&self, version: &ChartVersion) -> bool {
        let order = version.cmp_precedence(&self.floor);
        let major = version.major().cmp(&self.floor.major());
        let minor = major.then(version.minor().cmp(&self.floor.minor()));
        match (self.operator, self.written) {
            (Operator::Equal, Written::All) => order.is_eq(),
            (Operator::Equal | Operator::Tilde, _) => order.is_ge() && self.within_tilde(version),
            (Operator::NotEqual, Written::Major) => major.is_ne(),
            (Operator::NotEqual, Written::MajorMinor) => {
                minor.is_ne() || version.prerelease() != self.floor.prerelease()
            }
            (Operator::NotEqual, _) => order.is_ne(),
            (Operator::Greater, Written::Major) => major.is_gt(),
            (Operator::Greater, Written::MajorMinor) => minor.is_gt(),
            (Operator::Greater, _) => order.is_gt(),
            (Operator::GreaterEqual, _) => order.is_ge(),
            (Operator::Less, _) => order.is_lt(),
            (Operator::LessEqual, Written::All) => order.is_le(),
            (Operator::LessEqual, Written::Major) => major.is_le(),
            // A lone wildcard counts as 0.0: only 0.0.x is below.
            (Operator::LessEqual, _) => minor.is_le(),
            (Operator::Caret, _) => order.is_ge() && self.within_caret(version),
        }
    }

    /// Up to the next minor version, or the next major one if no minor was written.
    fn within_tilde(&self, version: &ChartVersion) -> bool {
        let floor = &self.floor;
        let everything = match self.written {
            Written::Nothing => true,
            // Masterminds reads ~0.0.0 as "anything".
            Written::All => (floor.major(), floor.minor(), floor.patch()) == (0, 0, 0),
            _ => false,
        };
        everything
            || version.major() == floor.major()
                && (self.written == Written::Major || version.minor() == floor.minor())
    }

    /// As long as the first number that is not zero stays.
    fn within_caret(&self, version: &ChartVersion) -> bool {
        let floor = &self.floor;
        let same_major = version.major() == floor.major();
        if floor.major() > 0 || self.written == Written::Major {
            return same_major;
        }
        let same_minor = same_major && version.minor() == floor.minor();
        if floor.minor() > 0 || self.written == Written::MajorMinor {
            return same_minor;
        }
        // Holds for ^0.0.3, and for ^* as well, which therefore accepts 0.0.0 alone.
        same_minor && version.patch() == floor.patch()
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
