//! Libraries of other languages, installed once below `target/` from what `tests/interop/` pins.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The directory in which the scripts of `tests/interop/` find their npm packages, with the
/// scripts in it.
///
/// # Errors
/// In words, if Node.js or npm is missing or the packages cannot be installed.
pub(crate) fn node() -> Result<PathBuf, String> {
    let pinned = ["package.json", "package-lock.json"];
    install("npm", &pinned, |directory| {
        run(Command::new("node").arg("--version"))?;
        let mut command = Command::new("npm");
        command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        run(command.current_dir(directory))
    })
}

/// The directory with the scripts of `tests/interop/` and, in `venv/`, a Python that has the
/// packages.
///
/// # Errors
/// In words, if Python or venv is missing or the packages cannot be installed.
pub(crate) fn python() -> Result<PathBuf, String> {
    install("python", &["requirements.txt"], |directory| {
        let mut command = Command::new("python3");
        run(command
            .args(["-m", "venv", "--clear", "venv"])
            .current_dir(directory))?;
        let mut command = Command::new(directory.join("venv/bin/python"));
        command.args(["-m", "pip", "install", "--quiet", "--no-input"]);
        run(command
            .args(["--requirement", "requirements.txt"])
            .current_dir(directory))
    })
}

/// The directory with `client`, the program of `tests/interop/go/`.
///
/// # Errors
/// In words, if Go is missing or the program cannot be built.
pub(crate) fn go() -> Result<PathBuf, String> {
    let sources = ["go/go.mod", "go/go.sum", "go/main.go", "go/form_filler.go"];
    install("go", &sources, |directory| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/go");
        let mut command = Command::new("go");
        command.args(["build", "-mod=readonly", "-buildvcs=false", "-o"]);
        run(command.arg(directory.join("client")).current_dir(source))
    })
}

/// The directory with the program of `tests/interop/java/` in `classes/` and what it needs in `jars/`.
///
/// # Errors
/// In words, if a JDK or Maven is missing or the program cannot be built.
pub(crate) fn java() -> Result<PathBuf, String> {
    let sources = ["java/pom.xml", "java/Client.java", "java/FormFiller.java"];
    install("java", &sources, |directory| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        run(Command::new("javac").arg("--version"))?;
        // Jars of other versions would be found as well.
        let _ = fs::remove_dir_all(directory.join("jars"));
        let mut command = Command::new("mvn");
        command.args(["--batch-mode", "--quiet", COPY_DEPENDENCIES, "--file"]);
        command.arg(source.join(sources[0]));
        run(command.arg(format!("-DoutputDirectory={}/jars", directory.display())))?;
        let mut command = Command::new("javac");
        command.args(["-cp", "jars/*", "-d", "classes"]);
        let files = [source.join(sources[1]), source.join(sources[2])];
        run(command.args(files).current_dir(directory))
    })
}

/// Maven's way to get jars.
const COPY_DEPENDENCIES: &str =
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Puts `tests/interop/` into a directory of that name and runs `packages` there, unless it ran
/// there before with the same `pinned` files.
fn install(
    name: &str,
    pinned: &[&str],
    packages: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("interop")
        .join(name);
    fs::create_dir_all(&directory).expect("a directory below target/");
    // Another test, or another run of the tests, may be installing.
    let lock = File::create(directory.join("lock")).expect("a lock file");
    lock.lock().expect("the lock");

    for entry in fs::read_dir(&source).expect("tests/interop").flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file {
            fs::copy(entry.path(), directory.join(entry.file_name())).expect("a copy");
        }
    }
    let wanted: String = pinned
        .iter()
        .map(|file| fs::read_to_string(source.join(file)).expect("a pinned list"))
        .collect();
    let stamp = directory.join("installed");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&*wanted) {
        packages(&directory)?;
        fs::write(&stamp, wanted).expect("a stamp");
    }
    Ok(directory)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(format!("{program} failed ({}): {last}", output.status))
}
