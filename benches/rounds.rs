use std::time::Duration;

use crate::{Cost, Outcome};

/// How the first of two competitors compares to the second.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    /// Processor time: the median of the rounds' ratios.
    pub cpu: f64,
    /// Time on the clock: the same.
    pub wall: f64,
    /// Processor time of the busiest thread: the same.
    pub busiest: f64,
    /// The first one's median costs, for scale.
    pub one: Cost,
    /// The second one's.
    pub other: Cost,
}

/// Lets two competitors run in turns, so that whatever else happens on the machine meets both; who begins changes with each round.
/// The very first round is not counted.
///
/// # Errors
///
/// Those of the competitors.
pub fn paired(
    rounds: usize,
    mut one: impl FnMut() -> Outcome<Cost>,
    mut other: impl FnMut() -> Outcome<Cost>,
) -> Outcome<Ratio> {
    one()?;
    other()?;
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            ones.push(one()?);
            others.push(other()?);
        } else {
            others.push(other()?);
            ones.push(one()?);
        }
    }
    let ratio = |of: fn(&Cost) -> Duration| {
        let mut ratios: Vec<f64> = ones
            .iter()
            .zip(&others)
            .map(|(one, other)| of(one).as_secs_f64() / of(other).as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(rounds / 2).copied().unwrap_or(f64::NAN)
    };
    Ok(Ratio {
        cpu: ratio(|cost| cost.cpu),
        wall: ratio(|cost| cost.wall),
        busiest: ratio(|cost| cost.busiest),
        one: median(&ones),
        other: median(&others),
    })
}

fn median(costs: &[Cost]) -> Cost {
    let of = |part: fn(&Cost) -> Duration| {
        let mut parts: Vec<Duration> = costs.iter().map(part).collect();
        parts.sort();
        parts.get(parts.len() / 2).copied().unwrap_or_default()
    };
    Cost { cpu: of(|cost| cost.cpu), wall: of(|cost| cost.wall), busiest: of(|cost| cost.busiest) }
}
