//! OpenPGP: key rings, and signing provenance files with them.

use std::{path::PathBuf, time::SystemTime};

use oci_chart_core::{
    Secret, chart,
    trust::pgp::{self, Passphrase, PgpSigner},
};
use pyo3::prelude::*;
use serde_json::json;

use crate::{
    call::{Raised, detached},
    convert::{Octets, python_data},
};

python_data! { "oci_chart.trust" KeyInfo }

/// A ring of OpenPGP keys, as gpg writes them: packets, armored blocks, or a key box.
///
/// >>> ring = Keyring.load("examples/keys/signer.asc")
/// >>> len(ring.keys), ring.keys[0].secret
/// (1, False)
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct Keyring(pgp::Keyring);

#[pymethods]
impl Keyring {
    /// Reads the keys in these bytes.
    #[new]
    #[pyo3(signature = (data, /))]
    fn new(py: Python<'_>, data: Octets) -> PyResult<Self> {
        detached(py, || Ok(pgp::Keyring::read(&data.0)?)).map(Self)
    }

    /// Reads the keys in a file: what `gpg --export` or `gpg --export-secret-keys` wrote, or `pubring.kbx`.
    #[staticmethod]
    #[pyo3(signature = (path, /))]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || pgp::Keyring::from_file(path)).map(Self)
    }

    /// What keys there are. Nothing of it is verified.
    #[getter]
    fn keys(&self) -> Vec<KeyInfo> {
        let of = |key: pgp::KeyInfo| {
            let subkeys: Vec<_> = key.subkeys.iter().map(ToString::to_string).collect();
            let found = json!({
                "fingerprint": key.fingerprint.to_string(), "userIds": key.user_ids, "subkeys": subkeys, "secret": key.secret,
            });
            KeyInfo(found.to_string())
        };
        self.0.keys().map(of).collect()
    }

    fn __repr__(&self) -> String {
        format!("<Keyring {} keys>", self.0.keys().len())
    }
}

impl Keyring {
    pub(crate) fn sign(
        &self,
        py: Python<'_>,
        package: &chart::Package,
        key: Option<&str>,
        passphrase: Option<Unlocking>,
        time: SystemTime,
    ) -> PyResult<chart::Package> {
        let raised = Raised::default();
        let passphrase = passphrase.map_or_else(Passphrase::none, |passphrase| passphrase.core(&raised));
        let signed = detached(py, || PgpSigner::from_keyring(&self.0, key, passphrase)?.sign(package, time));
        match raised.take() {
            Some(raised) => Err(raised),
            None => signed,
        }
    }
}

/// Where the passphrase of a secret key comes from.
#[derive(FromPyObject)]
pub(crate) enum Unlocking {
    Given(String),
    File(PathBuf),
    Asked(Py<PyAny>),
}

impl Unlocking {
    fn core(self, raised: &Raised) -> Passphrase {
        match self {
            Self::Given(text) => Passphrase::new(Secret::new(text)),
            Self::File(path) => Passphrase::from_file(path),
            Self::Asked(ask) => {
                let raised = raised.clone();
                // Called where it is signed, which is the caller's own thread.
                Passphrase::from_callback(move |key| {
                    Python::attach(|py| {
                        let asked = || ask.call1(py, (key,))?.extract::<String>(py);
                        asked().map(Secret::new).map_err(|error| raised.keep(py, error, "passphrase"))
                    })
                })
            }
        }
    }
}
