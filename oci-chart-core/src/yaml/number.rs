//! Numbers as Go's `strconv` prints them.

use crate::json;

/// `strconv.FormatFloat(value, 'g', -1, 32)`: how Helm turns a float into text.
pub(super) fn float32_g(value: f64) -> String {
    // Rounding to float32 is the rule, not an accident: Helm prints 20231201.1 as 2.0231202e+07.
    #[allow(clippy::cast_possible_truncation, reason = "Go converts to float32 here as well")]
    let narrow = value as f32;
    if narrow.is_finite() {
        general(&json::shortest32(narrow))
    } else {
        special(f64::from(narrow)).to_owned()
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`: how go-yaml writes a float.
pub(super) fn float64_g(value: f64) -> String {
    if value.is_finite() { general(&json::shortest(value)) } else { special(value).to_owned() }
}

fn special(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// From this exponent on, Go's shortest `%g` switches to the exponent form.
const LARGE_EXPONENT: i32 = 6;

/// Lays out the shortest digits (given as `-d.ddde-7`) as Go's `%g` does.
fn general(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..LARGE_EXPONENT).contains(&exponent) {
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{exponent_sign}{:02}", exponent.unsigned_abs());
    }
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    format!("{sign}{}", json::positional(&digits, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        let narrow = [
            (1.1, "1.1"),
            (1.0, "1"),
            (-0.0, "-0"),
            (100_000.0, "100000"),
            (1_234_567.0, "1.234567e+06"),
            (20_231_201.1, "2.0231202e+07"),
            (123_456_789_012_345_678_901_234_567_890.0, "1.2345679e+29"),
            (310_020.13, "310020.12"),
            (0.0001, "0.0001"),
            (0.000_012, "1.2e-05"),
            (1e300, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in narrow {
            assert_eq!(float32_g(value), text);
        }
        let wide = [
            (123_456.5, "123456.5"),
            (1e21, "1e+21"),
            (1e300, "1e+300"),
            (-1.25e-7, "-1.25e-07"),
            (0.5, "0.5"),
        ];
        for (value, text) in wide {
            assert_eq!(float64_g(value), text);
        }
    }
}
