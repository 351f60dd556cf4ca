//! What can happen to a connection, and to which.

use std::collections::BTreeMap;
use std::time::Duration;

/// The way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// How a connection goes wrong. Positions count the bytes of the connection in that direction from 0, heads included,
/// whatever they mean; a position that is never reached does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// It is accepted and reset at once.
    Refuse,
    /// Nothing is relayed for so long.
    Delay(Duration),
    /// It ends in order (FIN), both ways, after so many bytes.
    Cut(Way, u64),
    /// It is reset (RST), both ways, after so many bytes.
    Reset(Way, u64),
    /// Bytes from this position on are lost, and the connection stays open: silence.
    Stall(Way, u64),
    /// Bytes come in parts of so many, with a pause before each.
    Drip(Way, usize, Duration),
    /// One bit is wrong in the byte at this position.
    Flip(Way, u64),
}

impl Mishap {
    /// A mishap that `number` chooses, with its position below `reach`: any but [`Mishap::Flip`], against which TCP and TLS have
    /// their sums. Equal numbers choose equally.
    #[must_use]
    pub fn chosen(number: u64, reach: u64) -> Self {
        let (kind, rest) = (number % 10, number / 10);
        let position = rest / 2 % reach.max(1);
        let way = if rest % 2 == 0 { Way::Up } else { Way::Down };
        match kind {
            0 => Self::Refuse,
            1..=3 => Self::Cut(way, position),
            4..=6 => Self::Reset(way, position),
            7 => Self::Stall(way, position),
            8 => Self::Delay(Duration::from_millis(position % 50)),
            // Small enough to be slow, and large enough to come to an end.
            _ => Self::Drip(way, 500 + usize::try_from(position).unwrap_or(0), Duration::from_millis(5)),
        }
    }
}

/// Mishaps that wait for their connections.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    single: BTreeMap<u64, Mishap>,
    pub(super) always: Option<Mishap>,
}

impl Schedule {
    pub(super) fn add(&mut self, connection: u64, mishap: Mishap) {
        self.single.insert(connection, mishap);
    }

    pub(super) fn take(&mut self, connection: u64) -> Option<Mishap> {
        self.single.remove(&connection).or(self.always)
    }

    pub(super) fn len(&self) -> usize {
        self.single.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_choose_every_mishap_within_reach() {
        let all: Vec<_> = (0..2000).map(|number| Mishap::chosen(number, 50)).collect();
        assert!(all.contains(&Mishap::Refuse));
        for way in [Way::Up, Way::Down] {
            for position in [0, 49] {
                for mishap in
                    [Mishap::Cut(way, position), Mishap::Reset(way, position), Mishap::Stall(way, position)]
                {
                    assert!(all.contains(&mishap), "{mishap:?}");
                }
            }
        }
        assert!(!all.contains(&Mishap::Cut(Way::Up, 50)));
        assert_eq!(Mishap::chosen(1, 0), Mishap::Cut(Way::Up, 0));
    }

    #[test]
    fn a_connection_s_own_mishap_comes_before_that_of_all() {
        let mut schedule = Schedule::default();
        schedule.add(2, Mishap::Refuse);
        assert_eq!((schedule.take(1), schedule.len()), (None, 1));
        schedule.always = Some(Mishap::Cut(Way::Up, 0));
        assert_eq!(schedule.take(2), Some(Mishap::Refuse));
        assert_eq!((schedule.take(2), schedule.len()), (Some(Mishap::Cut(Way::Up, 0)), 0));
    }
}
