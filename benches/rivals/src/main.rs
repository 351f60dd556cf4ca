//! The same push with oci-client: `oci-client-push HOST REPOSITORY FILE`.

use std::{collections::BTreeMap, env, error::Error, fs};

use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    secrets::RegistryAuth,
};

const CONFIG: &str = r#"{"name":"bench","version":"1.0.0","apiVersion":"v2"}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, repository, file] = arguments.as_slice() else {
        return Err("oci-client-push HOST REPOSITORY FILE".into());
    };
    let layer = ImageLayer::new(
        fs::read(file)?,
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip".to_owned(),
        None,
    );
    let config = Config::new(CONFIG.as_bytes().to_vec(), "application/vnd.cncf.helm.config.v1+json".to_owned(), None::<BTreeMap<_, _>>);
    let reference: Reference = format!("{host}/{repository}:1.0.0").parse()?;
    let client = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(client.push(&reference, &[layer], config, &RegistryAuth::Anonymous, None))?;
    Ok(())
}
