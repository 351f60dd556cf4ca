//! Checks of one keyed signature, so many times: `verify raw|bundle|signature-tag TIMES`. `raw` is ring's ECDSA P-256 over the same bytes and
//! nothing else; the others are whole checks of a chart in memory under a policy with one key.

use std::{env, hint::black_box, process::ExitCode, sync::Arc};

use oci_chart_core::{
    Context, Error, ErrorKind, Result,
    name::Selector,
    oci::MediaType,
    store::{Blob, Memory, Store},
    trust::{
        Format, KeyPolicy, Policy, SignOptions, Signer as _, SigningKey, Tlog, TrustedKey, VerifyOptions,
        sign, verify,
    },
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// What a bundle signs of a chart is as long as this.
const STATEMENT: usize = 279;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [way, times] = arguments.as_slice() else { return ExitCode::FAILURE };
    let Ok(times) = times.parse() else { return ExitCode::FAILURE };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return ExitCode::FAILURE };
    match runtime.block_on(run(way, times)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(way: &str, times: usize) -> Result<()> {
    let key = SigningKey::generate()?;
    if way == "raw" {
        let message = [b'x'; STATEMENT];
        let signature = key.sign(&message).await?;
        let spki = key.public_key().to_der();
        let point = spki.get(spki.len() - 65..).unwrap_or_default();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        for _ in 0..times {
            black_box(key.verify(black_box(&message), black_box(&signature)))
                .map_err(|_| Error::new(ErrorKind::Internal, "its own signature is bad"))?;
        }
        return Ok(());
    }
    let format = if way == "bundle" { Format::Bundle } else { Format::SignatureTag };
    let (cx, store): (_, Arc<dyn Store>) = (Context::default(), Arc::new(Memory::default()));
    let chart = Blob::from_bytes(MediaType::OCI_MANIFEST, r#"{"schemaVersion":2,"layers":[]}"#);
    store.push(&chart, &[]).await?;
    let options = SignOptions::default().with_formats([format]).with_identity("registry.example/charts/web");
    sign(&cx, &store, chart.descriptor(), &key, &options).await?;
    let keys = KeyPolicy::new([TrustedKey::new(key.public_key().clone())], Tlog::IgnoreExplicitly);
    let policy = Policy::Keys(keys.with_formats([format]));
    let selector = Selector::Digest(chart.descriptor().digest);
    let options = VerifyOptions::default();
    for _ in 0..times {
        black_box(verify(&cx, &store, &selector, &policy, &options).await?);
    }
    Ok(())
}
