//! Keys, and who signs with them.

use std::{fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use oci_chart_core::{
    Content, Error, ErrorKind, Result, Secret,
    blocking::HostHandle,
    trust::{self, Signer as _},
};
use pyo3::{gc::PyTraverseError, gc::PyVisit, prelude::*, types::PyBytes};

use crate::{
    argument::either,
    call::{Raised, computed},
    convert::{Octets, python_enum},
    errors::raise,
    values::hash_of,
};

python_enum! { KeyAlgorithm }

/// A key file is small.
const MOST_BYTES: u64 = 1 << 20;

/// A public key, as PEM.
///
/// >>> key = SigningKey.generate().public_key
/// >>> PublicKey(key.pem) == key
/// True
#[pyclass(frozen, from_py_object, eq, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(pub(crate) trust::PublicKey);

#[pymethods]
impl PublicKey {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str,) = ("pem",);

    #[new]
    #[pyo3(signature = (pem, /))]
    fn new(py: Python<'_>, pem: &str) -> PyResult<Self> {
        pem.parse().map(Self).map_err(|error| raise(py, &error))
    }

    /// Reads a file of PEM, as cosign writes `cosign.pub`.
    #[staticmethod]
    #[pyo3(signature = (path, /))]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        read(path).and_then(|pem| pem.parse()).map(Self).map_err(|error| raise(py, &error))
    }

    /// The key as PEM.
    #[getter]
    fn pem(&self) -> String {
        self.0.to_pem()
    }

    #[getter]
    fn algorithm(&self) -> KeyAlgorithm {
        KeyAlgorithm(self.0.algorithm().as_str().into())
    }

    /// SHA-256 over the SubjectPublicKeyInfo: what tells keys apart, and what evidence names.
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint().to_string()
    }

    /// Whether `signature` is this key's over `message`.
    #[pyo3(signature = (message, signature, /))]
    fn verifies(&self, message: Octets, signature: Octets) -> bool {
        self.0.verifies(&message.0, &signature.0)
    }

    /// What a service signs that takes digests: SHA-256 of `message` for ECDSA and RSA, the message itself for Ed25519.
    #[pyo3(signature = (message, /))]
    fn prehash<'py>(&self, py: Python<'py>, message: Octets) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.prehash(&message.0))
    }

    fn __hash__(&self) -> u64 {
        hash_of(&self.fingerprint())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("PublicKey({})", self.pem().into_pyobject(py)?.repr()?))
    }

    fn __getnewargs__(&self) -> (String,) {
        (self.pem(),)
    }
}

/// A private key in memory. It is never shown, and cannot be pickled.
///
/// >>> key = SigningKey.generate()
/// >>> encrypted = key.to_pem("correct horse")
/// >>> encrypted.splitlines()[0]
/// '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----'
/// >>> SigningKey.from_pem(encrypted, passphrase=lambda: "correct horse").public_key == key.public_key
/// True
#[pyclass(frozen, from_py_object, module = "oci_chart")]
#[derive(Clone)]
pub(crate) struct SigningKey(trust::SigningKey);

#[pymethods]
impl SigningKey {
    /// A new key: ECDSA P-256, the one type that every verifier takes.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        trust::SigningKey::generate().map(Self).map_err(|error| raise(py, &error))
    }

    /// Reads PEM: cosign's encrypted form, or a plain private key.
    ///
    /// `passphrase` is the text, a function that gives it and is called only where it is needed, or the path of a file that holds it. Opening
    /// an encrypted key takes a third of a second, on purpose.
    #[staticmethod]
    #[pyo3(signature = (pem, /, *, passphrase: "str | os.PathLike[str] | collections.abc.Callable[[], str] | None" = None))]
    fn from_pem(py: Python<'_>, pem: String, passphrase: Option<Passphrase>) -> PyResult<Self> {
        let secret = match passphrase {
            Some(passphrase) if pem.contains("BEGIN ENCRYPTED") => Some(passphrase.get(py)?),
            _ => None,
        };
        let ask = move || {
            secret.ok_or_else(|| {
                Error::new(ErrorKind::InvalidInput, "the key is encrypted, and no passphrase is given")
                    .with_reason(oci_chart_core::Reason::WrongPassphrase)
                    .with_hint("give `passphrase=`: a text, a function, or the path of a file")
            })
        };
        computed(py, None, move |_| trust::SigningKey::from_pem(&pem, ask)).map(Self)
    }

    /// Reads a file of PEM, as cosign writes `cosign.key`.
    #[staticmethod]
    #[pyo3(signature = (path, /, *, passphrase: "str | os.PathLike[str] | collections.abc.Callable[[], str] | None" = None))]
    fn load(py: Python<'_>, path: PathBuf, passphrase: Option<Passphrase>) -> PyResult<Self> {
        let pem = read(path).map_err(|error| raise(py, &error))?;
        Self::from_pem(py, pem, passphrase)
    }

    #[getter]
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key().clone())
    }

    /// The key in cosign's encrypted form.
    #[pyo3(signature = (passphrase: "str | os.PathLike[str] | collections.abc.Callable[[], str]", /))]
    fn to_pem(&self, py: Python<'_>, passphrase: Passphrase) -> PyResult<String> {
        let (key, passphrase) = (self.0.clone(), passphrase.get(py)?);
        let pem = computed(py, None, move |_| key.to_encrypted_pem(&passphrase))?;
        Ok(pem.expose().to_owned())
    }

    fn __repr__(&self) -> String {
        format!("<SigningKey {}>", self.0.public_key().fingerprint())
    }
}

/// A signer whose key is elsewhere: in a KMS, an agent, behind PKCS#11.
///
/// `sign` is called on the thread that waits for the call, with the message as `bytes`, and gives the signature: ASN.1 DER for ECDSA, PKCS#1 v1.5
/// for RSA, 64 bytes for Ed25519. `PublicKey.prehash` gives what a service signs that takes digests.
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct Signer {
    key: trust::PublicKey,
    sign: Py<PyAny>,
}

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(signature = (public_key, sign: "collections.abc.Callable[[bytes], bytes]", /))]
    fn new(public_key: PublicKey, sign: Py<PyAny>) -> Self {
        Self { key: public_key.0, sign }
    }

    #[getter]
    fn public_key(&self) -> PublicKey {
        PublicKey(self.key.clone())
    }

    fn __repr__(&self) -> String {
        format!("<Signer {}>", self.key.fingerprint())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.sign)
    }
}

/// Either kind of signer.
pub(crate) enum AnySigner {
    Key(SigningKey),
    Caller(Py<Signer>),
}

either! { AnySigner, "a SigningKey or a Signer", SigningKey => Self::Key, Py<Signer> => Self::Caller }

impl AnySigner {
    /// As the core wants it, for one call whose callbacks keep what they raise in `raised`.
    pub(crate) fn core(self, py: Python<'_>, raised: &Raised) -> Arc<dyn trust::Signer> {
        match self {
            Self::Key(SigningKey(key)) => Arc::new(key),
            Self::Caller(signer) => {
                let signer = signer.get();
                let (key, sign) = (signer.key.clone(), Arc::new(signer.sign.clone_ref(py)));
                Arc::new(CallingSigner { key, sign, raised: raised.clone() })
            }
        }
    }
}

/// Asks a function of Python's, on the thread that waits.
struct CallingSigner {
    key: trust::PublicKey,
    sign: Arc<Py<PyAny>>,
    raised: Raised,
}

#[async_trait]
impl trust::Signer for CallingSigner {
    fn public_key(&self) -> &trust::PublicKey {
        &self.key
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let nobody = || Error::new(ErrorKind::Internal, "nobody waits for this signature");
        let host = HostHandle::current().ok_or_else(nobody)?;
        let (sign, raised, message) = (Arc::clone(&self.sign), self.raised.clone(), message.to_vec());
        host.ask(move |_| {
            Python::attach(|py| {
                let signed =
                    || -> PyResult<Octets> { sign.call1(py, (PyBytes::new(py, &message),))?.extract(py) };
                signed().map(|Octets(signature)| signature).map_err(|error| raised.keep(py, error, "signing"))
            })
        })
        .await?
    }
}

impl fmt::Debug for CallingSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.key.fingerprint())
    }
}

/// Where a passphrase comes from.
#[derive(FromPyObject)]
pub(crate) enum Passphrase {
    Given(String),
    File(PathBuf),
    Asked(Py<PyAny>),
}

impl Passphrase {
    fn get(self, py: Python<'_>) -> PyResult<Secret> {
        match self {
            Self::Given(text) => Ok(Secret::new(text)),
            Self::File(path) => fs_err::File::open(path)
                .map_err(Error::from)
                .and_then(Secret::read)
                .map_err(|error| raise(py, &error)),
            Self::Asked(ask) => Ok(Secret::new(ask.call0(py)?.extract::<String>(py)?)),
        }
    }
}

fn read(path: PathBuf) -> Result<String> {
    let bytes = Content::from_path(&path)?.read(MOST_BYTES)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "the key file is no text")
            .with_reason(oci_chart_core::Reason::BadKey)
            .with_context("path", path.display())
    })
}
