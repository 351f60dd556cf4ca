//! GnuPG with a home of its own, gone with the value.

use std::path::{Path, PathBuf};

use super::{
    process::{Finished, Sandbox},
    tools,
};

/// gpg and its keys.
pub(crate) struct Gpg {
    program: PathBuf,
    sandbox: Sandbox,
}

impl Gpg {
    /// gpg with no key yet, or a word that the test was skipped.
    pub(crate) fn start(test: &str) -> Option<Self> {
        Some(Self { program: tools::judge(test, "gpg")?, sandbox: Sandbox::new() })
    }

    /// A place to write.
    pub(crate) fn path(&self) -> &Path {
        self.sandbox.path()
    }

    /// Runs gpg without asking anybody.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let home = self.home();
        if !home.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            // gpg complains about homes that others can read.
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&home).unwrap();
        }
        let common = [
            "--homedir",
            home.to_str().unwrap(),
            "--batch",
            "--yes",
            "--no-tty",
            "--pinentry-mode",
            "loopback",
        ];
        self.sandbox.run(&self.program, common.iter().chain(arguments))
    }

    /// Makes a key that may certify and sign, and says its fingerprint.
    pub(crate) fn key(&self, user: &str, algorithm: &str, usage: &str, more: &[&str]) -> String {
        let generate = ["--quick-generate-key", user, algorithm, usage, "never"];
        let arguments = [&["--passphrase", ""], more, &generate].concat();
        let said = self.run(&arguments);
        assert_eq!(said.code, Some(0), "{said:?}");
        self.fingerprint(user)
    }

    /// The fingerprint of the primary key of that user.
    pub(crate) fn fingerprint(&self, user: &str) -> String {
        let listed = self.run(&["--with-colons", "--list-keys", user]).success();
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// Public keys as packets.
    pub(crate) fn public(&self, user: &str) -> Vec<u8> {
        self.exported(&["--export", user])
    }

    /// Secret keys as packets.
    pub(crate) fn secret(&self, user: &str, more: &[&str]) -> Vec<u8> {
        self.exported(&[more, &["--export-secret-keys", user]].concat())
    }

    /// What an export writes.
    pub(crate) fn exported(&self, arguments: &[&str]) -> Vec<u8> {
        let file = self.path().join("exported");
        let output = ["--output", file.to_str().unwrap()];
        let said = self.run(&[&output, arguments].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        fs_err::read(file).unwrap()
    }

    /// Signs a text as a block.
    pub(crate) fn clearsign(&self, text: &str, more: &[&str]) -> Vec<u8> {
        let file = self.path().join("text");
        fs_err::write(&file, text).unwrap();
        self.exported(&[more, &["--clearsign", file.to_str().unwrap()]].concat())
    }

    /// Revokes a key with the certificate that gpg made with it.
    pub(crate) fn revoke(&self, fingerprint: &str) {
        let file = self.home().join("openpgp-revocs.d").join(format!("{fingerprint}.rev"));
        let text = fs_err::read_to_string(file).unwrap().replace(":-----BEGIN", "-----BEGIN");
        let ready = self.path().join("revocation");
        fs_err::write(&ready, text).unwrap();
        let said = self.run(&["--import", ready.to_str().unwrap()]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    /// Revokes a key for a reason, by gpg's number of it (1 compromised, 2 superseded, 3 retired), as of a time like `20210101T000000`.
    pub(crate) fn revoke_for(&self, user: &str, reason: u8, time: &str) {
        let (home, file) = (self.home(), self.path().join("revocation"));
        let output = ["--faked-system-time", time, "--output", file.to_str().unwrap(), "--gen-revoke", user];
        let answers = format!(r#"printf 'y\n{reason}\n\ny\n' | exec "$@""#);
        let common = ["-c", &answers, "sh", self.program.to_str().unwrap()];
        let quietly =
            ["--homedir", home.to_str().unwrap(), "--yes", "--no-tty", "--pinentry-mode", "loopback"];
        let asked = [&common[..], &quietly, &["--passphrase", "", "--command-fd", "0"], &output].concat();
        self.sandbox.run(Path::new("/bin/sh"), asked).success();
        let said = self.run(&["--import", file.to_str().unwrap()]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    /// Where gpg keeps its keys.
    pub(crate) fn home(&self) -> PathBuf {
        self.path().join("gnupg")
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // The agent would outlive the test.
        let conf = self.program.with_file_name("gpgconf");
        let conf = if conf.exists() { conf } else { PathBuf::from("gpgconf") };
        let mut command = self.sandbox.command(&conf);
        let _ = command.env("GNUPGHOME", self.home()).args(["--kill", "all"]).status();
    }
}
