//! YAML as Helm reads and writes it: YAML 1.1 with the method of go.yaml.in/yaml/v2 2.4 behind
//! sigs.k8s.io/yaml 1.6.
//!
//! Charts are read by Helm with that pair, and a tool that reads them differently verifies something else than
//! what is installed. So this reader accepts and refuses what they do, including what they do against the
//! specification, and gives the same values. It holds no boxes in boxes and never recurses: neither depth nor
//! aliases can exhaust the stack, the time is linear, and no input makes it panic.
//!
//! [`Document`] is the value, [`Node`] a cursor into it, [`emit_json`] the way back to text. Documents that are
//! not Helm's go through [`from_foreign`].
//!
//! # Examples
//!
//! ```
//! use oci_chart_core::yaml::{Bounds, Document};
//!
//! let chart = Document::parse(b"name: web\nversion: 1.10\n", &Bounds::default())?;
//! let version = chart.root().get("version").expect("has a version");
//! // A float by YAML 1.1, which is how Helm sees an unquoted 1.10.
//! assert_eq!(version.helm_string().as_deref(), Some("1.1"));
//! assert_eq!((version.position().line, version.position().column), (2, 10));
//! # Ok::<(), oci_chart_core::yaml::ParseError>(())
//! ```

mod binary;
mod compose;
mod document;
mod emit;
mod error;
mod expansion;
mod foreign;
mod mappings;
mod number;
mod parser;
mod reader;
mod resolve;
mod scanner;
mod split;
mod tags;
mod timestamp;
mod to_json;
mod token;
mod value;

pub use document::{Bounds, Document};
pub use emit::{EmitError, emit_json};
pub use error::{Fault, ParseError, Position};
pub use foreign::from_foreign;
pub use value::{Kind, Node};
