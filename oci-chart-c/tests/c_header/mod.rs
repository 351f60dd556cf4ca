//! The committed header, as far as tests need to know it: functions with their parameters and comments, and numbers.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test takes what it needs; a header that cannot be read is a failed test"
)]

use std::{collections::BTreeMap, path::Path};

pub(crate) struct Header {
    pub(crate) functions: Vec<Function>,
    pub(crate) defines: BTreeMap<String, String>,
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) returns: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) comment: String,
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    /// Its type, with one space before the first star.
    pub(crate) kind: String,
}

impl Header {
    pub(crate) fn committed() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/oci_chart.h");
        Self::parse(&fs_err::read_to_string(path).unwrap())
    }

    fn parse(text: &str) -> Self {
        let (mut functions, mut defines) = (Vec::new(), BTreeMap::new());
        let (mut comment, mut code) = (String::new(), String::new());
        let mut in_comment = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("/*") {
                (in_comment, comment, code) = (true, String::new(), String::new());
            }
            if in_comment {
                comment.push_str(line.trim_start_matches(['/', '*', ' ']).trim_end_matches("*/"));
                comment.push(' ');
                in_comment = !line.ends_with("*/");
                continue;
            }
            if let Some(define) = line.strip_prefix("#define ") {
                let (name, value) = define.split_once(' ').unwrap_or((define, ""));
                defines.insert(name.to_owned(), value.trim().to_owned());
            }
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            code.push_str(line);
            code.push(' ');
            if !line.ends_with(';') {
                continue;
            }
            if code.starts_with("OCI_CHART_API") {
                functions.push(Function::parse(&code, std::mem::take(&mut comment)));
            }
            code.clear();
        }
        assert!(functions.len() > 40, "only {} functions found", functions.len());
        Self { functions, defines }
    }
}

impl Function {
    fn parse(code: &str, comment: String) -> Self {
        let code = code.replace("OCI_CHART_API", "").replace("OCI_CHART_MUST_USE", "").replace("struct ", "");
        let (head, rest) = code.split_once('(').unwrap();
        let (returns, name) = split_name(head);
        let list = rest.rsplit_once(')').unwrap().0;
        let parameters = match list.trim() {
            "void" => Vec::new(),
            list => list.split(',').map(split_name).map(|(kind, name)| Parameter { name, kind }).collect(),
        };
        Self { name, returns, parameters, comment }
    }

    /// Whether the parameter after this one is its length.
    pub(crate) fn has_length(&self, at: usize) -> bool {
        self.parameters
            .get(at + 1)
            .is_some_and(|next| next.name == format!("{}_len", self.parameters[at].name))
    }

    pub(crate) fn returns_status(&self) -> bool {
        self.returns == "oci_chart_status" && self.parameters.last().is_some_and(|last| last.name == "err")
    }

    /// The parameters of which the comment says that they may be NULL: the names right before these words.
    pub(crate) fn may_be_null(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (at, _) in self.comment.match_indices("may be NULL") {
            let mut before = self.comment[..at].trim_end();
            while let Some((rest, name)) = before.strip_suffix('`').and_then(|before| before.rsplit_once('`'))
            {
                names.push(name.to_owned());
                let rest = rest.trim_end();
                before = rest.strip_suffix("and").or(rest.strip_suffix(',')).unwrap_or("").trim_end();
            }
        }
        names
    }
}

impl Parameter {
    pub(crate) fn is_pointer(&self) -> bool {
        self.kind.ends_with('*') || self.kind.ends_with("_callback")
    }

    /// Whether it is a place that the function writes to.
    pub(crate) fn is_out(&self) -> bool {
        self.kind.ends_with("**") || matches!(self.kind.as_str(), "int32_t *" | "size_t *")
    }

    /// Whether it is an out-parameter for something that the caller has to free.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.kind.ends_with("**") && self.name != "err"
    }
}

fn split_name(text: &str) -> (String, String) {
    let text = text.trim();
    let at = text.rfind([' ', '*']).unwrap();
    let (kind, name) = text.split_at(at + 1);
    (kind.split_whitespace().collect::<Vec<_>>().join(" "), name.to_owned())
}
