use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// Runs of each program in one turn, and turns.
const RUNS: u32 = 25;
const TURNS: u32 = 8;

/// A program to be measured. `REPOSITORY` among its arguments becomes one that is new in each run.
pub(crate) struct Program {
    name: &'static str,
    path: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

/// What one run takes, in milliseconds: of the wall clock the median over the turns.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    pub(crate) name: &'static str,
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

impl Program {
    pub(crate) fn new(name: &'static str, path: &str, arguments: Vec<String>) -> Self {
        Self { name, path: path.to_owned(), arguments, environment: Vec::new() }
    }

    fn run(&self, number: u32) {
        let repository = format!("timed/{}{number}", self.name.replace([' ', ','], ""));
        let arguments = self.arguments.iter().map(|argument| argument.replace("REPOSITORY", &repository));
        let mut command = Command::new(&self.path);
        command.args(arguments).envs(self.environment.iter().map(|(key, value)| (key, value)));
        let output = command.stdin(Stdio::null()).output().expect(&self.path);
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
    }
}

/// Runs all programs in turns, so that what else happens on the machine meets all of them.
pub(crate) fn measure(programs: &[Program]) -> Vec<Round> {
    let mut turns: Vec<Vec<(f64, f64)>> = programs.iter().map(|_| Vec::new()).collect();
    for turn in 0..TURNS {
        for (program, measured) in programs.iter().zip(&mut turns) {
            let (before, began) = (children_cpu(), Instant::now());
            for run in 0..RUNS {
                program.run(turn * RUNS + run);
            }
            let each = |milliseconds: f64| milliseconds / f64::from(RUNS);
            measured.push((each(began.elapsed().as_secs_f64() * 1e3), each(children_cpu() - before)));
        }
    }
    let round = |(program, measured): (&Program, Vec<(f64, f64)>)| {
        let (mut wall, cpu): (Vec<f64>, Vec<f64>) = measured.into_iter().unzip();
        wall.sort_by(f64::total_cmp);
        // Of the CPU the mean: the clock is coarse, and its errors cancel out.
        Round {
            name: program.name,
            wall: wall[wall.len() / 2],
            cpu: cpu.iter().sum::<f64>() / cpu.len() as f64,
        }
    };
    programs.iter().zip(turns).map(round).collect()
}

/// CPU time of all children so far, in milliseconds. The kernel counts exactly and shows hundredths of a second, so
/// many runs are measured together.
fn children_cpu() -> f64 {
    let stat = fs_err::read_to_string("/proc/self/stat").expect("a Linux system");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
    let ticks = |n: usize| fields[n].parse::<f64>().expect("a number");
    (ticks(13) + ticks(14)) * 10.0
}

/// oci-client in a program of its own, built apart: `cargo build --release --manifest-path benches/rivals/Cargo.toml`.
pub(crate) fn oci_client(host: &str, chart: &str) -> Option<Program> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rivals/target/release/oci-client-push");
    if !Path::new(path).exists() {
        eprintln!("SKIPPED: oci-client: no {path}");
        return None;
    }
    Some(Program::new("oci-client", path, [host, "REPOSITORY", chart].map(str::to_owned).into()))
}

/// `helm push`, with a home of its own.
pub(crate) fn helm(directory: &Path, host: &str, chart: &str) -> Option<Program> {
    let judges = env::var("OCI_CHART_JUDGES_BIN").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../oci-chart-core/testkit/judges/bin").into()
    });
    let path = format!("{judges}/helm4");
    if !Path::new(&path).exists() {
        eprintln!("SKIPPED: helm: no {path}");
        return None;
    }
    let target = format!("oci://{host}/REPOSITORY");
    let arguments = ["push", "--plain-http", chart, &target].map(str::to_owned).into();
    let mut program = Program::new("helm 4", &path, arguments);
    for key in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        program.environment.push((key, directory.join(key).display().to_string()));
    }
    Some(program)
}
