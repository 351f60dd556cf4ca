//! Checks a Sigstore bundle that lies beside a file: the command-line protocol of the conformance suite
//! (sigstore-conformance, `docs/cli_protocol.md`), and a program of its own right.
//!
//! ```text
//! verify-bundle verify-bundle --bundle FILE --certificate-identity ID --certificate-oidc-issuer URL [--trusted-root FILE] FILE_OR_DIGEST
//! verify-bundle verify-bundle --bundle FILE --key PEM [--trusted-root FILE] FILE_OR_DIGEST
//! ```
//!
//! Ends with 0 where the bundle is good, with 1 where it is refused, with 2 where what is asked for is not offered: wrong is worse than unsupported.

use std::{collections::BTreeMap, env, error::Error, path::Path, process::ExitCode};

use fs_err as fs;
use oci_chart_core::{
    Digest,
    trust::{BundleArtifact, BundleProof, BundleSigner, Identity, PublicKey, TrustRoot, verify_bundle},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let question = match Question::read(&arguments) {
        Ok(question) => question,
        Err(unsupported) => {
            eprintln!("unsupported: {unsupported}");
            return ExitCode::from(2);
        }
    };
    match question.answer() {
        Ok(proof) => {
            let time =
                proof.time.map_or_else(|| "at an unknown time".to_owned(), |time| format!("at {time}"));
            eprintln!("signed by {} {time}", proof.signer);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("refused: {error:?}");
            ExitCode::FAILURE
        }
    }
}

/// What is asked.
struct Question {
    options: BTreeMap<&'static str, String>,
    artifact: String,
}

const OPTIONS: [&str; 5] =
    ["--bundle", "--certificate-identity", "--certificate-oidc-issuer", "--key", "--trusted-root"];

impl Question {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut arguments = arguments.iter();
        match arguments.next().map(String::as_str) {
            Some("verify-bundle") => {}
            other => return Err(format!("the command {other:?}")),
        }
        let (mut options, mut artifact) = (BTreeMap::new(), None);
        while let Some(argument) = arguments.next() {
            if let Some(name) = OPTIONS.into_iter().find(|name| name == argument) {
                let value = arguments.next().ok_or_else(|| format!("{name} without a value"))?;
                if options.insert(name, value.clone()).is_some() {
                    return Err(format!("{name} twice"));
                }
            } else if argument.starts_with("--") || artifact.replace(argument.clone()).is_some() {
                return Err(format!("the argument {argument:?}"));
            }
        }
        let artifact = artifact.ok_or("a question about nothing")?;
        Ok(Self { options, artifact })
    }

    fn answer(&self) -> Result<BundleProof, Box<dyn Error>> {
        let option = |name: &str| self.options.get(name).map(String::as_str);
        let bundle = fs::read(option("--bundle").ok_or("no --bundle")?)?;
        let root = match option("--trusted-root") {
            Some(path) => TrustRoot::from_file(path)?,
            None => TrustRoot::embedded(),
        };
        let identity = (option("--certificate-identity"), option("--certificate-oidc-issuer"));
        let signer = match (option("--key"), identity) {
            (Some(path), (None, None)) => BundleSigner::Key(PublicKey::from_pem(&fs::read_to_string(path)?)?),
            (None, (Some(subject), Some(issuer))) => {
                BundleSigner::Identities(vec![Identity::exact(issuer, subject)?])
            }
            _ => return Err("name a key, or an identity and its issuer".into()),
        };
        let digest: Option<Digest> = match Path::new(&self.artifact).exists() {
            true => None,
            false => Some(self.artifact.parse()?),
        };
        let bytes = if digest.is_some() { Vec::new() } else { fs::read(&self.artifact)? };
        let artifact = match &digest {
            Some(digest) => BundleArtifact::Digest(digest),
            None => BundleArtifact::Bytes(&bytes),
        };
        Ok(verify_bundle(&bundle, artifact, &signer, &root)?)
    }
}
