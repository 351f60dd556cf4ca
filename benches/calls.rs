use std::{io, path::Path, process::Command};

use crate::{Outcome, skip};

/// How many system calls a program makes, in all its threads, from the first one on that names `from`: how the system
/// starts a program is not counted. None where strace is missing.
///
/// # Errors
///
/// When the program cannot be started or fails.
pub fn system_calls(command: &Command, from: &Path) -> Outcome<Option<usize>> {
    let log = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    // Cargo names places to look for libraries, each of which costs calls.
    strace.env_remove("LD_LIBRARY_PATH");
    strace.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(log.path()).arg(command.get_program());
    match strace.args(command.get_args()).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skip("system calls: no strace (Debian: strace)");
            Ok(None)
        }
        Err(error) => Err(error.into()),
        Ok(output) if !output.status.success() => Err(String::from_utf8_lossy(&output.stderr).into()),
        Ok(_) => {
            let log = fs_err::read_to_string(log.path())?;
            // A call that another thread's call interrupts takes two lines; lines without a call tell of exits.
            // Unoptimised programs look whether a file is open before they close it.
            let counted = |line: &&str| {
                line.contains('(') && !line.contains("resumed>") && !line.contains(", F_GETFD)")
            };
            let from = format!("\"{}", from.display());
            let calls = log.lines().skip(1).skip_while(|line| !line.contains(&from)).filter(counted);
            Ok(Some(calls.count()))
        }
    }
}

/// How many instructions a program takes, counted by callgrind. None where valgrind is missing.
///
/// # Errors
///
/// When the program cannot be started or fails.
pub fn instructions(program: &str, arguments: &[&str]) -> Outcome<Option<u64>> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program]).args(arguments);
    match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                return Err(format!("{program}: {said}").into());
            }
            let collected = said.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next());
            Ok(Some(collected.ok_or("callgrind tells no count")?.parse()?))
        }
    }
}
