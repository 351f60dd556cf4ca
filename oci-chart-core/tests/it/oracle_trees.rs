//! Chart directories as they lie on disk, with links, ignore rules and odd names, against Helm's own loader.

use std::{
    collections::BTreeMap,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
};

use oci_chart_core::{
    Digest, Reason,
    chart::{Chart, ChartFile, LoadOptions},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{disagreements::Tally, oracle::Oracle, rng::Rng, say};

const TEST: &str = "oracle_trees";
const TREES: usize = 600;

#[test]
fn generated_trees() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(41);
    let place = TempDir::new().unwrap();
    let outside = place.path().join("outside");
    write(&outside.join("file"), "outside");
    write(&outside.join("directory/file"), "outside, deeper");
    let trees: Vec<PathBuf> = (0..TREES)
        .map(|number| {
            let root = place.path().join(number.to_string());
            tree(&mut rng, &root, &outside);
            root
        })
        .collect();
    let answers = oracle.ask_many(trees.iter().map(|root| json!({"do": "load_dir", "path": root})));
    let (mut both, mut neither, mut files, mut ignored, mut escapes) = (0, 0, 0, 0, 0);
    let mut tally = Tally::default();
    for (root, answer) in trees.iter().zip(&answers) {
        // Helm follows links out of the chart, and so do we where that is allowed.
        let helm_alike = LoadOptions::default().with_outside_symlinks(true);
        match (Chart::from_dir(root, &helm_alike), answer.get("error")) {
            (Ok(chart), None) => {
                same(&chart, answer, root);
                files += chart.files().len() + chart.templates().len();
                ignored += chart.skipped().len();
                both += 1;
                if let Err(error) = Chart::from_dir(root, &LoadOptions::default()) {
                    assert_eq!(error.reason(), Some(Reason::SymlinkEscape), "{}: {error}", root.display());
                    escapes += 1;
                }
            }
            (Err(_), Some(_)) => neither += 1,
            (Err(error), None) => {
                let row = if error.reason() == Some(Reason::UnsafePath) { "tree-path-unusable" } else { "" };
                tally.allow(row, &(error, root));
            }
            (Ok(_), Some(helm)) => panic!("{}: Helm: {helm}", root.display()),
        }
    }
    assert!(
        both > TREES / 3 && neither > 20 && escapes > 20 && ignored > TREES,
        "{both} {neither} {escapes} {ignored}"
    );
    say(&format!(
        "{TEST}: {TREES} trees, {both} read alike ({files} files, {ignored} left out; {escapes} of them only where links \
         may lead out), {neither} refused by both, {tally}"
    ));
}

/// The same files in the same order with the same content.
fn same(chart: &Chart, answer: &Value, root: &Path) {
    let names =
        |files: &[ChartFile]| -> Value { files.iter().map(|file| json!(file.path().as_str())).collect() };
    let column = |name: &str| answer.get(name).cloned().unwrap_or_else(|| json!([]));
    assert_eq!(names(chart.templates()), column("templates"), "{}", root.display());
    assert_eq!(names(chart.files()), column("other_files"), "{}", root.display());
    let digests: BTreeMap<&str, &str> = answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file[0].as_str().unwrap(), file[2].as_str().unwrap()))
        .collect();
    for file in chart.files().iter().chain(chart.templates()).chain(chart.values()) {
        let content = file.read(u64::MAX).unwrap();
        assert_eq!(
            Digest::of(&content).hex(),
            digests[file.path().as_str()],
            "{}: {}",
            root.display(),
            file.path()
        );
    }
}

const NAMES: &[&str] = &[
    "a",
    "b.txt",
    "a-b",
    "a.b",
    "README.md",
    "templates",
    "docs",
    "crds",
    "x y",
    "ü",
    ".hidden",
    ".git",
    "Z",
    "_p.tpl",
    "#c",
    "!n",
    "c.yaml",
    "[x]",
];

const RULES: &[&str] = &[
    "*.txt",
    "*.md",
    "docs/",
    "/a",
    "a*",
    ".?*",
    "!*.yaml",
    "templates/*.txt",
    "templates/docs",
    "crds/",
    "x y",
    "[xZ]",
    "# c",
    "",
    "*/b.txt",
    "link*",
    "\\#c",
    "?",
];

fn tree(rng: &mut Rng, root: &Path, outside: &Path) {
    write(&root.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    if rng.chance(20) {
        write(&root.join("values.yaml"), "\u{feff}a: 1\n");
    }
    // No link lies below this one, so a link to it runs in no circle.
    let plain = root.join("plain");
    write(&plain.join("one"), "1");
    write(&plain.join("two/b.txt"), "2");
    let mut directories = vec![root.to_owned(), root.join("templates")];
    fs_err::create_dir_all(root.join("templates")).unwrap();
    for _ in 0..rng.below(14) {
        let path = directories[rng.below(directories.len())].join(rng.pick(NAMES));
        if path.exists() {
            continue;
        }
        if rng.chance(30) && path.components().count() < root.components().count() + 4 {
            fs_err::create_dir_all(&path).unwrap();
            directories.push(path);
        } else {
            write(&path, rng.pick(&["", "text", "\u{feff}marked", "\u{feff}\u{feff}twice"]));
        }
    }
    let odd = directories[rng.below(directories.len())].clone();
    fs_err::create_dir_all(&odd).unwrap();
    let link = odd.join("link");
    match rng.below(16) {
        0 => symlink(root.join("Chart.yaml"), link).unwrap(),
        1 => symlink(&plain, link).unwrap(),
        2 => symlink(plain.join("two/../one"), link).unwrap(),
        3 | 4 => symlink(outside.join("file"), link).unwrap(),
        5 => symlink(outside.join("directory"), link).unwrap(),
        6 => symlink("nowhere", link).unwrap(),
        7 => symlink("link", link).unwrap(),
        8 => {
            UnixListener::bind(odd.join("socket")).unwrap();
        }
        9 => write(&odd.join("back\\slash"), ""),
        10 => write(&root.join("..dots"), ""),
        _ => {}
    }
    if rng.chance(60) {
        let rules: Vec<&str> = (0..=rng.below(3)).map(|_| rng.pick(RULES)).collect();
        // A rule that leaves Chart.yaml out makes no chart; most trees are to be one.
        write(&root.join(".helmignore"), rules.join("\n"));
    }
    if rng.chance(10) {
        write(&plain.join(".helmignore"), "one");
    }
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, content).unwrap();
}
