//! Many pushes and pulls, at most one mishap each: nearly all succeed, no success is wrong, no failure is without a name, and nothing
//! is left behind. `OCI_CHART_SEED` gives other mishaps.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use oci_chart_core::{
    Chart, ChartArtifact, Context, ErrorKind,
    auth::{Credentials, StaticCredentials},
    chart::{LoadOptions, PackageOptions},
    name::{Host, RepositoryAddress, Selector},
    oci::ArtifactOptions,
    store::{ConnectionOptions, Registries, RetryOptions, Store, StoreExt as _},
    transfer::{self, PullOptions, PushOptions},
};
use oci_chart_testkit::{Bearer, Fault, Mishap, Registry, Relay, Rule};

use crate::support::{rng::Rng, say};

const OPERATIONS: usize = 500;
const WORKERS: usize = 10;
/// Far longer than any operation with one mishap takes.
const STUCK: Duration = Duration::from_secs(30);
/// How long silence is borne.
const PATIENCE: Duration = Duration::from_millis(250);

#[test]
fn nearly_everything_succeeds_and_nothing_is_wrong() {
    let began = Instant::now();
    let charts: Arc<Vec<ChartArtifact>> = Arc::new((0..6).map(chart).collect());
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let charts = Arc::clone(&charts);
            thread::spawn(move || Worker::new(worker, charts).run())
        })
        .collect();
    let ended: Vec<Ended> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert_eq!(ended.len(), OPERATIONS);

    let met = ended.iter().filter(|ended| ended.fired).count();
    let failed: Vec<&Ended> = ended.iter().filter(|ended| ended.failure.is_some()).collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for ended in &failed {
        *kinds.entry(ended.trouble.word()).or_default() += 1;
    }
    say(&format!(
        "nearly_everything_succeeds_and_nothing_is_wrong: {OPERATIONS} operations, {met} met their mishap, {} failed {kinds:?}, in {:.1?}",
        failed.len(),
        began.elapsed()
    ));
    // For whoever runs it alone.
    failed.iter().for_each(|ended| println!("{}", ended.told()));
    let told: Vec<String> = failed.iter().map(|ended| ended.told()).collect();
    assert!(met * 2 > OPERATIONS, "{met} mishaps are none to speak of");
    assert!(failed.len() * 20 <= OPERATIONS, "{} of {OPERATIONS} failed:\n{}", failed.len(), told.join("\n"));
}

/// What may happen to an operation.
#[derive(Debug, Clone)]
enum Trouble {
    Nothing,
    /// To its first or second connection.
    Bytes(u64, Mishap),
    /// To one of its requests.
    Request(&'static str, &'static str, Fault),
}

impl Trouble {
    fn pick(rng: &mut Rng, push: bool, size: usize) -> Self {
        if rng.chance(15) {
            return Self::Nothing;
        }
        if rng.chance(60) {
            // A pull has one connection, and says little; of a push the answers are short.
            let nth = if push && rng.chance(30) { 2 } else { 1 };
            let reach = if rng.chance(60) { 600 } else { 1500 + size as u64 };
            return Self::Bytes(nth, Mishap::chosen(rng.next_u64() >> 1, reach));
        }
        let at = rng.below(size) as u64;
        let requests: &[(&str, &str)] = if push {
            &[
                ("HEAD", "*/manifests/*"),
                ("POST", "*/uploads/*"),
                ("PUT", "*/uploads/*"),
                ("PUT", "*/manifests/*"),
                ("*", "*"),
            ]
        } else {
            &[("GET", "*/manifests/*"), ("GET", "*/blobs/*"), ("GET", "*/blobs/*"), ("*", "*")]
        };
        let (method, target) = requests[rng.below(requests.len())];
        let fault = match rng.below(16) {
            0 => Fault::error(500, "UNKNOWN"),
            1 => Fault::error(502, "UNKNOWN"),
            2 => Fault::error(503, "UNAVAILABLE"),
            3 => Fault::error(504, "UNKNOWN"),
            4 => Fault::too_many_requests("0"),
            5 => Fault::too_many_requests("1"),
            6 => Fault::Delay(PATIENCE * 8),
            7 => Fault::Drop,
            8 => Fault::CutRequest(at),
            9 => Fault::LoseAnswer,
            10..=12 => Fault::CutResponse(at),
            13 => Fault::Drip(1 + size / 8, Duration::from_millis(10)),
            // What arrives whole and wrong is the registry's lie, and rarer than what does not arrive.
            14 => Fault::Delay(Duration::from_millis(20)),
            _ => match rng.below(3) {
                0 => Fault::FlipByte(at / 2),
                1 => Fault::Truncate(at),
                _ => Fault::AnnounceLength(at),
            },
        };
        Self::Request(method, target, fault)
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Bytes(_, mishap) => match mishap {
                Mishap::Refuse => "refused connection",
                Mishap::Cut(..) => "cut",
                Mishap::Reset(..) => "reset",
                Mishap::Stall(..) => "silence",
                _ => "slow bytes",
            },
            Self::Request(_, _, fault) => match fault {
                Fault::Status { .. } => "status",
                Fault::Delay(_) | Fault::Drip(..) => "slow request",
                Fault::FlipByte(_) => "wrong byte",
                Fault::Truncate(_) | Fault::AnnounceLength(_) => "wrong length",
                _ => "cut request",
            },
        }
    }
}

/// How an operation ended.
struct Ended {
    number: usize,
    push: bool,
    trouble: Trouble,
    fired: bool,
    failure: Option<oci_chart_core::Error>,
}

impl Ended {
    fn told(&self) -> String {
        let what = if self.push { "push" } else { "pull" };
        format!("{} {what}, {:?}: {:?}", self.number, self.trouble, self.failure)
    }
}

/// A registry behind a relay, and its share of the operations.
struct Worker {
    number: usize,
    charts: Arc<Vec<ChartArtifact>>,
    registry: Registry,
    relay: Relay,
}

impl Worker {
    fn new(number: usize, charts: Arc<Vec<ChartArtifact>>) -> Self {
        // Some want a login, and their tokens go through the relay as well.
        let builder = Registry::builder();
        let builder = if number.is_multiple_of(2) {
            builder.bearer_auth(Bearer::new("robot", "hunter2"))
        } else {
            builder
        };
        let registry = builder.start_blocking().unwrap();
        for (n, chart) in charts.iter().enumerate() {
            let repository = format!("pulled/{n}");
            for (_, content) in chart.blobs() {
                registry.put_blob(&repository, content.read(u64::MAX).unwrap()).unwrap();
            }
            let manifest = Bytes::copy_from_slice(chart.manifest().bytes());
            let media_type = chart.manifest().descriptor().media_type.as_str().to_owned();
            registry.put_manifest(&repository, &chart.tag().to_string(), &media_type, manifest).unwrap();
        }
        let relay = Relay::start(registry.host()).unwrap();
        Self { number, charts, registry, relay }
    }

    fn run(self) -> Vec<Ended> {
        let share = (0..OPERATIONS).filter(|number| number % WORKERS == self.number);
        let ended: Vec<Ended> = share.map(|number| self.operation(number)).collect();
        // Whoever was cut off has noticed, and nobody holds on to anything.
        let began = Instant::now();
        while self.relay.counts().open > 0 {
            assert!(began.elapsed() < STUCK, "connections are still open: {:?}", self.relay.counts());
            thread::sleep(Duration::from_millis(5));
        }
        ended
    }

    fn operation(&self, number: usize) -> Ended {
        let mut rng = Rng::new(number as u64 + 40_000);
        let chart = rng.below(self.charts.len());
        let artifact = &self.charts[chart];
        let push = rng.chance(50);
        let size = usize::try_from(artifact.package().size()).unwrap();
        let trouble = Trouble::pick(&mut rng, push, size);
        self.relay.disarm();
        self.registry.script().clear();
        let fired = || self.relay.counts().fired + self.registry.script().fired();
        let before = fired();
        match &trouble {
            Trouble::Nothing => {}
            Trouble::Bytes(nth, mishap) => self.relay.arm(*nth, *mishap),
            Trouble::Request(method, target, fault) => {
                self.registry.script().add(Rule::new(method, target, fault.clone()));
            }
        }
        let result = if push { self.push(number, artifact) } else { self.pull(chart, artifact) };
        let failure = result.err();
        if let Some(error) = &failure {
            let typed = !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Cancelled);
            assert!(typed && !error.message().is_empty(), "{number}: {error:?}");
        }
        Ended { number, push, trouble, fired: fired() > before, failure }
    }

    fn push(&self, number: usize, artifact: &ChartArtifact) -> oci_chart_core::Result<()> {
        let repository = format!("pushed/{number}");
        let pushed = self.alone(&repository, |store| async move {
            transfer::push(&Context::default(), artifact, &store, &PushOptions::default()).await
        })?;
        let stored = self.registry.manifest(&repository, &artifact.tag().to_string()).unwrap();
        assert_eq!(&*stored.bytes, artifact.manifest().bytes(), "{number}");
        assert_eq!(stored.digest, pushed.descriptor.digest.to_string(), "{number}");
        for (descriptor, content) in artifact.blobs() {
            let stored = self.registry.blob(&repository, &descriptor.digest.to_string()).unwrap().unwrap();
            assert_eq!(stored, content.read(u64::MAX).unwrap(), "{number}");
        }
        Ok(())
    }

    /// Pulls the package, and its layer into a file.
    fn pull(&self, chart: usize, artifact: &ChartArtifact) -> oci_chart_core::Result<()> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("chart.tgz");
        let selector = Selector::Tag(artifact.tag().clone());
        let result = self.alone(&format!("pulled/{chart}"), |store| {
            let (file, selector) = (file.clone(), selector.clone());
            async move {
                let options = PullOptions::without_verification();
                let pulled = transfer::pull(&Context::default(), &store, &selector, &options).await?;
                store.fetch_to(artifact.chart(), &file).await?;
                Ok(pulled)
            }
        });
        let files = fs_err::read_dir(directory.path()).unwrap().count();
        match result {
            Ok(pulled) => {
                assert_eq!(pulled.package.digest(), artifact.package().digest());
                let expected = artifact.package().content().read(u64::MAX).unwrap();
                assert_eq!(fs_err::read(&file).unwrap(), expected);
                assert_eq!(files, 1);
                Ok(())
            }
            Err(error) => {
                assert_eq!(files, 0, "a partial file is left: {error:?}");
                Err(error)
            }
        }
    }

    /// Runs `work` with a client and a runtime of its own, as a program does that does nothing else, and sees that it ends and leaves no
    /// task behind.
    fn alone<T, F>(
        &self,
        repository: &str,
        work: impl FnOnce(Arc<dyn Store>) -> F,
    ) -> oci_chart_core::Result<T>
    where
        F: Future<Output = oci_chart_core::Result<T>>,
    {
        let host = Host::parse(self.relay.host()).unwrap();
        let login = StaticCredentials::default().with(host.clone(), Credentials::basic("robot", "hunter2"));
        // The token service is where the registry itself is.
        let options =
            options().with_plain_http(host.clone()).with_plain_http(crate::remote::host(&self.registry));
        let registries = Registries::new(options, login).unwrap();
        let address = RepositoryAddress::parse(&format!("oci://{host}/{repository}")).unwrap();
        let store: Arc<dyn Store> = Arc::new(registries.repository(&address).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(async { tokio::time::timeout(STUCK, work(store)).await });
        drop(registries);
        runtime.block_on(async {
            let began = Instant::now();
            while runtime.metrics().num_alive_tasks() > 0 {
                assert!(began.elapsed() < STUCK, "{repository}: a task is stuck");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        result.unwrap_or_else(|_| panic!("{repository}: not done after {STUCK:?}"))
    }
}

/// Waits that a test has time for.
fn options() -> ConnectionOptions {
    let retry = RetryOptions::default().with_first_wait(Duration::from_millis(10)).with_seed(1);
    ConnectionOptions::default().with_idle_timeout(PATIENCE).with_connect_timeout(PATIENCE).with_retry(retry)
}

/// Charts of 1 to 60 kB.
fn chart(n: u32) -> ChartArtifact {
    let directory = tempfile::tempdir().unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {n}.0.0\n");
    fs_err::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    let mut rng = Rng::new(u64::from(n));
    let noise: String = (0..n * 1500).map(|_| format!("{:08x}", rng.next_u64() >> 32)).collect();
    fs_err::write(directory.path().join("noise.txt"), noise).unwrap();
    let chart = Chart::from_path(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    ChartArtifact::new(package, &ArtifactOptions::default()).unwrap()
}
