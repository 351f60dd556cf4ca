use std::path::{Path, PathBuf};

use oci_chart_benches::Outcome;

/// In bytes.
const SIZE: usize = 20 << 20;
/// Larger files of the corpus are taken, in bytes: definitions, dashboards, values.
const LARGE: u64 = 16 << 10;

/// A chart of [`SIZE`] below `place`: the large files of all charts in `place`, again and again.
pub(crate) fn chart(place: &Path) -> Outcome<PathBuf> {
    let root = place.join("synthetic");
    fs_err::create_dir(&root)?;
    fs_err::write(root.join("Chart.yaml"), "apiVersion: v2\nname: synthetic\nversion: 1.0.0\n")?;
    let files = large_files(place)?;
    let mut left = SIZE;
    for copy in 0.. {
        let directory = root.join(format!("files/{copy}"));
        fs_err::create_dir_all(&directory)?;
        for (number, content) in files.iter().enumerate() {
            let size = content.len().min(left);
            fs_err::write(directory.join(format!("{number}.yaml")), &content[..size])?;
            left -= size;
            if left == 0 {
                return Ok(root);
            }
        }
    }
    Ok(root)
}

fn large_files(place: &Path) -> Outcome<Vec<Vec<u8>>> {
    let (mut files, mut left) = (Vec::new(), vec![place.to_owned()]);
    while let Some(directory) = left.pop() {
        for entry in fs_err::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|end| end != "tgz") && path.metadata()?.len() > LARGE {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err("no large files in the corpus".into());
    }
    Ok(files.into_iter().map(fs_err::read).collect::<Result<_, _>>()?)
}
