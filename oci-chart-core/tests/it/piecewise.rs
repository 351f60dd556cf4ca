//! Lists and content that are taken piece by piece, through the facade for callers that wait.

use oci_chart_core::{
    Client, ErrorKind, Location,
    blocking::{self, Host},
    name::Host as RegistryHost,
    oci::{Descriptor, MediaType},
    store::{Blob, TagMode},
};
use oci_chart_testkit::{Builder, Fault, Registry, Rule};

/// A repository with ten tags, which the registry lists three at a time.
fn world(build: impl FnOnce(Builder) -> Builder) -> (Registry, blocking::Client, Location) {
    let registry = build(Registry::builder().page_size(3)).start_blocking().unwrap();
    let host = RegistryHost::parse(registry.host()).unwrap();
    let client = blocking::Client::new(Client::builder().plain_http(host).build().unwrap());
    let at: Location = format!("oci://{}/charts/web", registry.host()).parse().unwrap();
    let manifest = Blob::from_bytes(
        MediaType::OCI_INDEX,
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
    );
    for n in 0..10 {
        let tag = format!("1.{n}.0").parse().unwrap();
        client.store_blob(&at, &manifest, &[(tag, TagMode::Create)], &mut ()).unwrap();
    }
    registry.log().take();
    (registry, client, at)
}

fn lists(registry: &Registry) -> usize {
    registry.log().take().iter().filter(|exchange| exchange.target.contains("/tags/list")).count()
}

#[test]
fn a_page_is_asked_for_when_it_is_wanted() {
    let (registry, client, at) = world(|builder| builder);
    let mut tags = client.list_tags(&at).unwrap();
    assert_eq!(lists(&registry), 0);
    let mut all = Vec::new();
    let mut asked = 0;
    while let Some(page) = tags.next_page(&mut ()).unwrap() {
        assert!(page.len() <= 3, "{page:?}");
        all.extend(page);
        asked += 1;
        assert_eq!(lists(&registry), 1, "after page {asked}");
    }
    assert_eq!((all.len(), asked), (10, 4));
    assert_eq!(tags.next_page(&mut ()).unwrap(), None);
}

#[test]
fn what_came_before_a_failure_is_given_out_before_it() {
    let (_registry, client, at) =
        world(|builder| builder.fault(Rule::new("GET", "*last=*", Fault::error(403, "DENIED"))));
    let mut tags = client.list_tags(&at).unwrap();
    assert_eq!(tags.next_page(&mut ()).unwrap().unwrap().len(), 3);
    assert_eq!(tags.next_page(&mut ()).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(tags.next_page(&mut ()).unwrap(), None);
}

#[test]
fn content_is_read_in_pieces_and_checked_at_its_end() {
    let (registry, client, at) = world(|builder| builder);
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let blob = Blob::from_bytes("application/octet-stream".into(), bytes.clone());
    client.store_blob(&at, &blob, &[], &mut ()).unwrap();

    let read = |descriptor: &Descriptor| {
        let (mut reader, mut all) = (client.open_blob(&at, descriptor).unwrap(), Vec::new());
        loop {
            match reader.next_piece(&mut ()) {
                Ok(Some(piece)) => all.extend_from_slice(&piece),
                Ok(None) => return (all, None),
                Err(error) => {
                    assert_eq!(reader.next_piece(&mut ()).unwrap(), None);
                    return (all, Some(error.kind()));
                }
            }
        }
    };
    assert_eq!(read(blob.descriptor()), (bytes, None));
    registry.script().add(Rule::new("GET", "*/blobs/*", Fault::FlipByte(500_000)));
    assert_eq!(read(blob.descriptor()).1, Some(ErrorKind::DigestMismatch));
}

#[test]
fn a_list_can_be_stopped_between_and_within_its_pages() {
    struct Hasty;
    impl Host for Hasty {
        fn timeout(&self) -> Option<std::time::Duration> {
            Some(std::time::Duration::from_millis(50))
        }
    }
    let (_registry, client, at) = world(|builder| {
        let slow = Fault::Delay(std::time::Duration::from_secs(20));
        builder.fault(Rule::new("GET", "*last=*", slow))
    });
    let mut tags = client.list_tags(&at).unwrap();
    assert!(tags.next_page(&mut Hasty).unwrap().is_some());
    assert_eq!(tags.next_page(&mut Hasty).unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(tags.next_page(&mut ()).unwrap(), None);
}
