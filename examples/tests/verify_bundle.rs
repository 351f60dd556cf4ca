//! The program `verify-bundle` as the conformance suite drives it: as a process, with its arguments, answering by its exit status. Then what a suite
//! does not ask: other signers, artifacts, roots, and questions that make no sense.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use fs_err as fs;
use serde_json::{Value, json};

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

const GOOD: i32 = 0;
const REFUSED: i32 = 1;
const UNSUPPORTED: i32 = 2;

fn ask(arguments: &[&str]) -> i32 {
    let output = Command::new(env!("CARGO_BIN_EXE_verify-bundle")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.stdout.is_empty() && !said.contains("panicked"), "{arguments:?}: {said}");
    output.status.code().unwrap_or_else(|| panic!("{arguments:?}: ended by a signal"))
}

/// A case of the suite: files, and what the answer must be.
struct Case {
    name: String,
    bundle: String,
    artifact: PathBuf,
    signer: Vec<String>,
    root: Option<String>,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let word = |name: &str, default: &str| {
            file(name).map_or(default.to_owned(), |path| fs::read_to_string(path).unwrap().trim().to_owned())
        };
        let signer = match file("key.pub") {
            Some(path) => vec!["--key".to_owned(), text(&path)],
            None => by(&word("identity", IDENTITY), &word("issuer", ISSUER)),
        };
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            bundle: text(&folder.join("bundle.sigstore.json")),
            artifact: file("artifact").unwrap_or_else(|| folder.parent().unwrap().join("a.txt")),
            signer,
            root: file("trusted_root.json").as_deref().map(text),
        }
    }

    fn is_good(&self) -> bool {
        !self.name.ends_with("_fail")
    }

    /// The suite's question.
    fn ask(&self) -> i32 {
        self.ask_about(&text(&self.artifact))
    }

    fn ask_about(&self, artifact: &str) -> i32 {
        self.ask_of(&self.signer, self.root.as_deref(), artifact)
    }

    fn ask_of(&self, signer: &[String], root: Option<&str>, artifact: &str) -> i32 {
        let mut arguments = vec!["verify-bundle", "--bundle", &self.bundle];
        arguments.extend(signer.iter().map(String::as_str));
        arguments.extend(root.into_iter().flat_map(|root| ["--trusted-root", root]));
        arguments.push(artifact);
        ask(&arguments)
    }

    fn digest(&self) -> String {
        oci_chart_core::Digest::of(fs::read(&self.artifact).unwrap()).to_string()
    }
}

fn by(identity: &str, issuer: &str) -> Vec<String> {
    ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer].map(str::to_owned).to_vec()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn cases() -> Vec<Case> {
    let place =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../oci-chart-core/testkit/fixtures/sigstore-conformance");
    let mut folders: Vec<PathBuf> = fs::read_dir(place)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| Case::read(folder)).collect()
}

#[test]
fn every_case_of_the_suite_by_path_and_by_digest() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        for artifact in [text(&case.artifact), case.digest()] {
            let code = case.ask_about(&artifact);
            if code != if case.is_good() { GOOD } else { REFUSED } {
                wrong.push(format!("{} {artifact}: {code}", case.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(cases.len(), 70);
}

#[test]
fn nobody_else_and_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = scratch.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path)
    };
    let other = write("other", b"something else\n");
    let empty = write("empty", b"");
    for case in cases().iter().filter(|case| case.is_good()) {
        let (name, root, artifact) = (&case.name, case.root.as_deref(), text(&case.artifact));
        for wrong in [&other, &empty, &format!("sha256:{}", "0".repeat(64)), &case.digest().to_uppercase()] {
            assert_eq!(case.ask_about(wrong), REFUSED, "{name}: {wrong}");
        }
        let strangers = match &*case.signer {
            [_, identity, _, issuer] => vec![
                by(&format!("{identity}x"), issuer),
                by(&identity[..identity.len() - 1], issuer),
                by(&identity.to_uppercase(), issuer),
                by(".*", issuer),
                by("*", issuer),
                by("", issuer),
                by(identity, &format!("{issuer}/")),
                by(identity, ".*"),
                by(identity, ""),
                by(issuer, identity),
            ],
            [_, key] => {
                let pem = fs::read_to_string(key).unwrap();
                let stranger = cases()
                    .iter()
                    .find(|other| other.name == "managed-key-wrong-key_fail")
                    .unwrap()
                    .signer
                    .clone();
                vec![
                    by(IDENTITY, ISSUER),
                    stranger,
                    vec!["--key".to_owned(), empty.clone()],
                    vec!["--key".to_owned(), text(scratch.path())],
                    vec!["--key".to_owned(), write("cut.pub", &pem.as_bytes()[..pem.len() / 2])],
                ]
            }
            other => panic!("{other:?}"),
        };
        for signer in &strangers {
            assert_eq!(case.ask_of(signer, root, &artifact), REFUSED, "{name}: {signer:?}");
        }
    }
}

#[test]
fn a_root_that_vouches_for_less_proves_less() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut asked, mut refused) = (0, 0);
    for case in cases().iter().filter(|case| case.is_good()) {
        let Some(root) = &case.root else { continue };
        let root: Value = serde_json::from_str(&fs::read_to_string(root).unwrap()).unwrap();
        let bundle: Value = serde_json::from_str(&fs::read_to_string(&case.bundle).unwrap()).unwrap();
        let with_key = case.signer.len() == 2;
        for list in ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"] {
            // What this case rests on: every bundle on a log, certificates on both authorities, a log without times on time stamps.
            let timeless = bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"]
                .as_str()
                .is_none_or(|seconds| seconds == "0");
            let needed = match list {
                "tlogs" => true,
                "timestampAuthorities" => timeless && !with_key,
                _ => !with_key,
            };
            let mut without = root.clone();
            without[list] = json!([]);
            let path = scratch.path().join("root.json");
            fs::write(&path, without.to_string()).unwrap();
            let code = case.ask_of(&case.signer, Some(&text(&path)), &text(&case.artifact));
            asked += 1;
            refused += i32::from(code == REFUSED);
            assert!(!needed || code == REFUSED, "{} without {list}: {code}", case.name);
        }
    }
    assert!(asked > 20 && refused > asked / 2, "{asked} {refused}");
}

#[test]
fn questions_that_make_no_sense() {
    let cases = cases();
    let case = cases.iter().find(|case| case.name == "happy-path-v0.3").unwrap();
    assert_eq!(case.ask(), GOOD);
    let (bundle, artifact) = (&*case.bundle, &*text(&case.artifact));
    let identity = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER];
    let all = |before: &[&'static str], after: &[&'static str]| -> Vec<String> {
        let middle = ["--bundle", bundle].into_iter().chain(identity);
        before
            .iter()
            .copied()
            .chain(middle)
            .chain([artifact])
            .chain(after.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    for (question, code) in [
        (Vec::new(), UNSUPPORTED),
        (vec!["verify-bundle".to_owned()], UNSUPPORTED),
        (all(&[], &[]), UNSUPPORTED),
        (all(&["sign-bundle"], &[]), UNSUPPORTED),
        // The staging instance has another root, which this program does not bring.
        (all(&["verify-bundle", "--staging"], &[]), UNSUPPORTED),
        (all(&["verify-bundle"], &["second"]), UNSUPPORTED),
        (all(&["verify-bundle"], &["--key"]), UNSUPPORTED),
        (all(&["verify-bundle"], &["--bundle", "twice"]), UNSUPPORTED),
        (all(&["verify-bundle"], &["--key", "/nowhere"]), REFUSED),
        (all(&["verify-bundle"], &["--trusted-root", "/nowhere"]), REFUSED),
        (all(&["verify-bundle"], &["--trusted-root", "Cargo.toml"]), REFUSED),
        (all(&["verify-bundle"], &[]), GOOD),
    ] {
        let words: Vec<&str> = question.iter().map(String::as_str).collect();
        assert_eq!(ask(&words), code, "{question:?}");
    }
    for missing in ["--bundle", "--certificate-identity", "--certificate-oidc-issuer"] {
        let question = all(&["verify-bundle"], &[]);
        let at = question.iter().position(|word| word == missing).unwrap();
        let words: Vec<&str> = question
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != at && *n != at + 1)
            .map(|(_, word)| word.as_str())
            .collect();
        assert_eq!(ask(&words), REFUSED, "without {missing}");
    }
}
