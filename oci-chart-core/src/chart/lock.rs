//! Chart.lock: which versions a chart's dependencies were settled to, and the digest that ties them to Chart.yaml.

mod time;

use std::time::SystemTime;

use super::{
    dependency::{Dependency, Object, list},
    metadata::{Kind, Mismatch, Source, dependencies, names, parse, text},
};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    yaml,
};

/// A Chart.lock or requirements.lock, read and written as Helm 4.2 does it.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::{Dependency, Lock, lock_digest};
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let wanted = [Dependency::new("alpine", "0.1.0", "http://localhost:8879/charts")];
/// let lock = Lock::from_yaml(b"\
/// dependencies:
/// - name: alpine
///   repository: http://localhost:8879/charts
///   version: 0.1.0
/// digest: sha256:fb239e836325c5fa14b29d1540a13b7d3ba13151b67fe719f820e0ef6d66aaaf
/// generated: \"2026-11-21T03:43:25.314393931+01:00\"
/// ")?;
/// let locked: Vec<_> = lock.dependencies().cloned().collect();
/// assert_eq!(lock.digest(), lock_digest(&wanted, &locked).to_string());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    written: String,
    generated: time::Timestamp,
    digest: String,
    /// A lock may have no list, which Helm writes as null, and null entries, which it keeps.
    dependencies: Option<Vec<Option<Dependency>>>,
}

impl Lock {
    /// Reads the text of a lock file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChart`] as for [`Metadata::from_yaml`](super::Metadata::from_yaml), also for a text without any
    /// document, which Helm takes for no lock at all.
    pub fn from_yaml(text: &[u8]) -> Result<Self> {
        Self::read(FILE, text, &Limits::default())?.ok_or_else(|| {
            Error::new(ErrorKind::InvalidChart, "cannot load Chart.lock: there is nothing in it")
                .with_reason(Reason::FieldMissing)
                .with_context("file", FILE)
        })
    }

    /// Reads `file`; an empty one is no lock.
    pub(super) fn read(file: &str, text: &[u8], limits: &Limits) -> Result<Option<Self>> {
        let document = parse(file, text, limits)?;
        Self::decode(document.root()).map_err(|fault| fault.into_error(file))
    }

    /// When the lock was made, letter for letter as the file has it; empty where the file has no time.
    pub fn generated(&self) -> &str {
        &self.written
    }

    /// When the lock was made; `None` where the file has no time, or one before 1970.
    pub fn generated_at(&self) -> Option<SystemTime> {
        self.generated.system_time()
    }

    /// The digest over both lists, `sha256:...`, as the file has it: compare with [`lock_digest`].
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The locked dependencies: name, one version, repository.
    pub fn dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().flatten().flatten()
    }

    /// Whether the lock belongs to the dependencies that Chart.yaml (or requirements.yaml) asks for. Locks that Helm 2 made for
    /// `v1` charts pass as well: give the API version.
    ///
    /// Helm replaces `@alias` and `alias:` repositories by their addresses first; so must the caller.
    pub fn matches(&self, wanted: &[Dependency], api_version: &str) -> bool {
        let locked = self.dependencies.as_deref();
        let both = digest(|out| {
            out.push('[');
            list(out, wanted, |out, dependency| dependency.write_json(out));
            out.push(',');
            write_list(out, locked);
            out.push(']');
        });
        let legacy = api_version == super::Metadata::API_V1;
        self.digest == both.to_string() || (legacy && self.digest == lock_digest_helm2(wanted).to_string())
    }

    /// The lock as `helm package` writes it: keys in order, the time as Go prints it (no trailing zeros, `Z` for UTC).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChart`] for a text that Helm's YAML writer refuses, see
    /// [`Metadata::to_yaml`](super::Metadata::to_yaml), and for a time zone of a day or more.
    pub fn to_yaml(&self) -> Result<String> {
        if !self.generated.is_writable() {
            return Err(Error::new(
                ErrorKind::InvalidChart,
                "cannot write Chart.lock: timezone hour outside of range [0,23]",
            )
            .with_reason(Reason::FieldInvalid)
            .with_context("field", "generated"));
        }
        let mut out = String::new();
        let mut object = Object::new(&mut out);
        object.always("generated", &self.generated.to_string());
        object.always("digest", &self.digest);
        write_list(object.key("dependencies"), self.dependencies.as_deref());
        object.end();
        yaml::emit_json(&out).map_err(|cause| {
            Error::new(ErrorKind::InvalidChart, "cannot write Chart.lock: control characters are not allowed")
                .with_reason(Reason::FieldInvalid)
                .with_source(cause)
        })
    }

    fn decode<'a, S: Source<'a>>(root: S) -> Result<Option<Self>, Mismatch> {
        const OWNER: &str = "Lock";
        match root.kind() {
            Kind::Null => return Ok(None),
            Kind::Map => {}
            _ => return Err(Mismatch::new(root, "v2.Lock")),
        }
        let mut lock = Self {
            written: String::new(),
            generated: time::Timestamp::default(),
            digest: String::new(),
            dependencies: None,
        };
        for (key, value) in root.entries() {
            if names("generated", &key) {
                lock.set_generated(value)?;
            } else if names("digest", &key) {
                text(&mut lock.digest, value).map_err(|fault| fault.inside(OWNER, "digest"))?;
            } else if names("dependencies", &key) {
                let mut entries = lock.dependencies.take().unwrap_or_default();
                dependencies(&mut entries, value).map_err(|fault| fault.inside(OWNER, "dependencies"))?;
                lock.dependencies = (value.kind() != Kind::Null).then_some(entries);
            } else if value.json().is_none() {
                return Err(Mismatch::NotJson { field: key.into_owned(), place: value.position() });
            }
        }
        Ok(Some(lock))
    }

    fn set_generated<'a>(&mut self, value: impl Source<'a>) -> Result<(), Mismatch> {
        if value.kind() == Kind::Null {
            return Ok(());
        }
        let wrong = |text: &str| Mismatch::Time {
            field: "generated".to_owned(),
            text: text.to_owned(),
            place: value.position(),
        };
        // Numbers are not turned into text here, unlike in text fields.
        let text = value
            .text()
            .filter(|_| value.kind() == Kind::String)
            .ok_or_else(|| wrong(value.kind().word()))?;
        self.generated = text.parse().map_err(|_| wrong(&text))?;
        self.written = text.into_owned();
        Ok(())
    }
}

/// The digest that Helm 3 and 4 put into a lock: over the dependencies that Chart.yaml asks for (sanitised, with the addresses
/// of repositories in place of their aliases) and the locked ones.
pub fn lock_digest(wanted: &[Dependency], locked: &[Dependency]) -> Digest {
    digest(|out| {
        out.push('[');
        list(out, wanted, |out, dependency| dependency.write_json(out));
        out.push(',');
        list(out, locked, |out, dependency| dependency.write_json(out));
        out.push(']');
    })
}

/// The digest that Helm 2 put into a lock: over the wanted dependencies alone.
pub fn lock_digest_helm2(wanted: &[Dependency]) -> Digest {
    digest(|out| {
        out.push_str("{\"dependencies\":");
        list(out, wanted, |out, dependency| dependency.write_json(out));
        out.push('}');
    })
}

/// The name of the file that a lock is read from.
const FILE: &str = "Chart.lock";

fn digest(write: impl FnOnce(&mut String)) -> Digest {
    let mut json = String::new();
    write(&mut json);
    Digest::of(json)
}

fn write_list(out: &mut String, dependencies: Option<&[Option<Dependency>]>) {
    let Some(dependencies) = dependencies else { return out.push_str("null") };
    list(out, dependencies, |out, dependency| match dependency {
        Some(dependency) => dependency.write_json(out),
        None => out.push_str("null"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::ImportValue;

    #[test]
    fn digests_are_helms() {
        let mut wanted = Dependency::new("d", ">=1.0.0", "oci://x");
        wanted.tags.push("t".into());
        let import = r#"{"child":"a","n":1,"parent":"b"}"#.to_owned();
        wanted.import_values = vec![ImportValue::export("data"), ImportValue::from_json(import)];
        let locked = Dependency::new("d", "1.2.0", "oci://x");
        assert_eq!(
            lock_digest(&[wanted], &[locked]).hex(),
            "2b38ffa7b1ecae432565841db0e40304055aacd658357105f5c68d63b877d53a"
        );
        let alpine = [Dependency::new("alpine", "0.1.0", "http://localhost:8879/charts")];
        assert_eq!(
            lock_digest(&alpine, &alpine).hex(),
            "fb239e836325c5fa14b29d1540a13b7d3ba13151b67fe719f820e0ef6d66aaaf"
        );
    }

    #[test]
    fn locks_of_helm_2_hold_for_its_charts_alone() {
        let wanted = [Dependency::new("d", ">=1.0.0", "oci://x")];
        let locked = [Dependency::new("d", "1.2.0", "oci://x")];
        let lock = |digest: Digest| {
            let text = format!(
                "dependencies:\n- name: d\n  repository: oci://x\n  version: 1.2.0\ndigest: {digest}\n"
            );
            Lock::from_yaml(text.as_bytes()).unwrap()
        };
        let (now, then) = (lock(lock_digest(&wanted, &locked)), lock(lock_digest_helm2(&wanted)));
        assert!(now.matches(&wanted, "v2") && now.matches(&wanted, "v1"));
        assert!(then.matches(&wanted, "v1") && !then.matches(&wanted, "v2"));
        let more = [wanted[0].clone(), Dependency::new("e", "1", "oci://x")];
        assert!(!now.matches(&more, "v1") && !then.matches(&more, "v1"));
    }

    #[test]
    fn what_helm_writes_for_what_is_missing() {
        for (text, written) in [
            ("{}", "dependencies: null\ndigest: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\n"),
            (
                "dependencies: []\nDIGEST: 1.10\ngenerated: 2020-02-29T01:02:03.500+00:00",
                "dependencies: []\ndigest: \"1.1\"\ngenerated: \"2020-02-29T01:02:03.5Z\"\n",
            ),
            (
                "dependencies: ~\ngenerated: ~\n",
                "dependencies: null\ndigest: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\n",
            ),
            (
                "dependencies:\n- ~\n- name: x\n",
                "dependencies:\n- null\n- name: x\n  repository: \"\"\ndigest: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\n",
            ),
        ] {
            let lock = Lock::from_yaml(text.as_bytes()).unwrap();
            assert_eq!(lock.to_yaml().unwrap(), written);
        }
        assert!(Lock::read(FILE, b"# nothing\n", &Limits::default()).unwrap().is_none());
    }

    #[test]
    fn errors_say_where() {
        for (text, reason, field, line) in [
            ("a: 1\ngenerated: yesterday\n", Reason::FieldInvalid, "generated", "2"),
            ("generated: 2020\n", Reason::FieldInvalid, "generated", "1"),
            ("digest: []\n", Reason::FieldType, "digest", "1"),
            ("dependencies:\n- name: {}\n", Reason::FieldType, "dependencies[0].name", "2"),
            ("x: .inf\n", Reason::FieldType, "x", "1"),
        ] {
            let error = Lock::from_yaml(text.as_bytes()).unwrap_err();
            assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidChart, Some(reason)), "{error}");
            assert_eq!((error.get("field"), error.get("line")), (Some(field), Some(line)), "{error}");
            assert_eq!(error.get("file"), Some("Chart.lock"));
        }
    }
}
