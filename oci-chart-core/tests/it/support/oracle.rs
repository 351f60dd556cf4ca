//! Questions to Helm's own packages; `testkit/judges/README.md` lists them.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;

use super::tools;

/// Where Linux has files that never reach a disk.
const IN_MEMORY: &str = "/dev/shm";

/// A program that answers.
pub(crate) struct Oracle {
    program: PathBuf,
    script: Option<PathBuf>,
}

impl Oracle {
    /// The oracle, or a word that the test was skipped.
    pub(crate) fn find(test: &str) -> Option<Self> {
        Some(Self { program: tools::judge(test, "oracle")?, script: None })
    }

    /// An oracle in Python with the judges' packages, or a word that the test was skipped.
    #[cfg(feature = "cloud")]
    pub(crate) fn python(test: &str, script: &Path) -> Option<Self> {
        Some(Self { program: tools::judge(test, "venv/bin/python")?, script: Some(script.to_owned()) })
    }

    /// The answers to all questions, in their order. Questions flow while answers come back, so any number will do.
    pub(crate) fn ask_many(&self, questions: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let mut command = Command::new(&self.program);
        if Path::new(IN_MEMORY).is_dir() {
            // Some questions make a directory each.
            command.env("TMPDIR", IN_MEMORY);
        }
        let mut child = command
            .args(&self.script)
            .env("GOGC", "400")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let output = BufReader::new(child.stdout.take().unwrap());
        let answers = thread::spawn(move || {
            output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect::<Vec<Value>>()
        });
        let mut input = BufWriter::with_capacity(1 << 16, child.stdin.take().unwrap());
        let mut asked = 0;
        for question in questions {
            serde_json::to_writer(&mut input, &question).unwrap();
            input.write_all(b"\n").unwrap();
            asked += 1;
        }
        input.flush().unwrap();
        drop(input);
        let answers = answers.join().unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(answers.len(), asked);
        for (index, answer) in answers.iter().enumerate() {
            assert!(answer.get("unanswerable").is_none(), "question {index}: {answer}");
        }
        answers
    }

    /// The answer to one question; a process is started for it.
    pub(crate) fn ask(&self, question: Value) -> Value {
        self.ask_many([question]).remove(0)
    }
}

/// Whether Helm accepted what it was asked about.
pub(crate) fn accepted(answer: &Value) -> bool {
    answer.get("error").is_none() && answer.get("panic").is_none()
}
