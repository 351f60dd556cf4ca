use std::path::{Path, PathBuf};

use super::{ClientCertificate, ConnectionOptions, HostOptions};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    name::Host,
};

impl ConnectionOptions {
    /// Adds what a directory like Docker's `/etc/docker/certs.d` says: below a folder for each host (`registry.example`,
    /// `registry.example:5000`) authorities to trust for it in `*.crt`, and a client certificate in `NAME.cert` with its key in `NAME.key`, the
    /// first by name. Everything is read now; a directory that is not there says nothing. Folders whose names are no hosts are passed over.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io), and [`InvalidInput`](ErrorKind::InvalidInput) with reason `certificate-invalid` for a certificate without key,
    /// a key without certificate, and what is neither.
    pub fn with_certs_dir(mut self, directory: impl AsRef<Path>) -> Result<Self> {
        for folder in entries(directory.as_ref())? {
            let Some(host) =
                folder.file_name().and_then(|name| name.to_str()).and_then(|name| Host::parse(name).ok())
            else {
                continue;
            };
            if folder.is_dir() {
                let options = self.hosts.entry(host).or_default();
                *options = options.clone().with_certs_of(&folder)?;
            }
        }
        Ok(self)
    }
}

impl HostOptions {
    /// Adds the certificates of one folder, as [`ConnectionOptions::with_certs_dir`] does for each host.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn with_certs_of(mut self, folder: impl AsRef<Path>) -> Result<Self> {
        let mut own = None;
        for path in entries(folder.as_ref())? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.roots.push(fs_err::read(&path)?),
                Some("cert") => {
                    let key = path.with_extension("key");
                    if !key.is_file() {
                        return Err(alone("a client certificate has no key beside it", &path));
                    }
                    if own.is_none() {
                        own = Some(ClientCertificate::from_files(&path, key)?);
                    }
                }
                Some("key") if !path.with_extension("cert").is_file() => {
                    return Err(alone("a key has no client certificate beside it", &path));
                }
                _ => {}
            }
        }
        if own.is_some() {
            self.client_certificate = own;
        }
        Ok(self)
    }
}

fn alone(message: &'static str, path: &Path) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_reason(Reason::CertificateInvalid)
        .with_context("file", path.display())
        .with_hint("a client certificate is NAME.cert with NAME.key; an authority to trust is NAME.crt")
}

/// What is in `directory`, by name; nothing where there is none.
fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    match fs_err::read_dir(directory) {
        Ok(all) => {
            for entry in all {
                paths.push(entry?.path());
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use oci_chart_testkit::Tls;

    use super::*;

    #[test]
    fn a_folder_for_each_host() {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        write("one.example:5000/ca.crt", Tls::AUTHORITY);
        write("one.example:5000/client.cert", Tls::CERTIFICATE);
        write("one.example:5000/client.key", Tls::KEY);
        write("two.example/a.crt", "a");
        write("two.example/b.crt", "b");
        write("two.example/README", "");
        write("not a host/ca.crt", "x");
        write("three.example", "a file");
        let options = ConnectionOptions::default().with_certs_dir(directory.path()).unwrap();
        assert_eq!(options.hosts.len(), 2, "{options:?}");
        let of = |host: &str| &options.hosts[&Host::parse(host).unwrap()];
        assert_eq!(of("one.example:5000").roots, [Tls::AUTHORITY.as_bytes()]);
        assert!(of("one.example:5000").client_certificate.is_some());
        assert_eq!(of("two.example").roots, [b"a", b"b"]);
        assert!(of("two.example").client_certificate.is_none());
        assert!(ConnectionOptions::default().with_certs_dir("/nowhere/certs.d").unwrap().hosts.is_empty());
    }

    #[test]
    fn half_a_pair_is_refused() {
        for name in ["client.cert", "client.key"] {
            let directory = tempfile::tempdir().unwrap();
            fs_err::write(directory.path().join(name), Tls::KEY).unwrap();
            let error = HostOptions::default().with_certs_of(directory.path()).unwrap_err();
            let found = (error.kind(), error.reason());
            assert_eq!(found, (ErrorKind::InvalidInput, Some(Reason::CertificateInvalid)), "{name}");
            assert!(error.get("file").unwrap().ends_with(name));
        }
    }
}
