//! The machine: its cores, and what one of them can do without Keyfob.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;

/// What the server's core can do, in operations a second.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Limits {
    /// RS256 signatures with a 2048-bit key that is parsed once.
    pub(crate) rs256: Rate,
    /// ES256 signatures with such a key.
    pub(crate) es256: Rate,
    /// Verifications of such signatures, with a key that is parsed anew each time.
    pub(crate) es256_verification: Rate,
    /// argon2id hashes with OWASP's parameters and memory that is used again.
    pub(crate) argon2id: Rate,
    /// Writes of 4 KiB, each safe on the disk before the next.
    pub(crate) durable_writes: Rate,
}

/// How often something can be done.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Rate {
    /// In a second.
    pub(crate) a_second: f64,
    /// In a second that the core spends on nothing else.
    pub(crate) a_cpu_second: f64,
}

impl Limits {
    /// Measures them in a process on the server's core.
    pub(crate) fn measure(arguments: &Arguments) -> Result<Self> {
        let program = std::env::current_exe()?;
        let output = on_the_first_core(program.as_os_str())
            .args(["--limits", "--seconds"])
            .arg(arguments.length.as_secs_f64().to_string())
            .output()?;
        ensure!(output.status.success(), "the limits could not be measured");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// Measures the limits in this process, and prints them.
pub(crate) fn measure_limits() -> Result<()> {
    let random = SystemRandom::new();
    let message = [7; 600];
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let mut signature = vec![0; rsa.public_modulus_len()];
    let rs256 = rate(|| Ok(rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?))?;
    let es256 = rate(|| Ok(ecdsa.sign(&random, &message).map(drop)?))?;
    let signed = ecdsa.sign(&random, &message)?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, ecdsa.public_key().as_ref());
    let es256_verification = rate(|| Ok(public.verify(&message, signed.as_ref())?))?;

    let params = Params::new(19 * 1024, 2, 1, None).map_err(anyhow::Error::msg)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; 32];
    let argon2id = rate(|| {
        argon2
            .hash_password_into_with_memory(
                b"password",
                b"sixteen bytes!!!",
                &mut hash,
                &mut memory,
            )
            .map_err(anyhow::Error::msg)
    })?;

    let directory = tempfile::tempdir()?;
    let file = File::create(directory.path().join("durable"))?;
    let page = [7; 4096];
    let mut offset = 0;
    let durable_writes = rate(|| {
        file.write_all_at(&page, offset)?;
        offset = (offset + 4096) % (1 << 22);
        Ok(file.sync_data()?)
    })?;
    let limits = Limits {
        rs256,
        es256,
        es256_verification,
        argon2id,
        durable_writes,
    };
    Ok(writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string(&limits)?
    )?)
}

fn rate(mut operation: impl FnMut() -> Result<()>) -> Result<Rate> {
    for _ in 0..3 {
        operation()?;
    }
    let own = std::process::id();
    let (began_at, cpu_before) = (Instant::now(), cpu_time(own)?);
    let mut count = 0_u32;
    while began_at.elapsed() < LENGTH {
        operation()?;
        count += 1;
    }
    let cpu = cpu_time(own)?.saturating_sub(cpu_before);
    let count = f64::from(count);
    Ok(Rate {
        a_second: count / began_at.elapsed().as_secs_f64(),
        a_cpu_second: count / cpu.as_secs_f64().max(0.01),
    })
}

/// The time that the cores have spent on a process, in steps of 10 ms.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let line = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program may contain anything; the fields that follow it do not.
    let (_, fields) = line.rsplit_once(')').context("no process's state")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|it| it.parse::<u64>().ok());
    let (user, system) = ticks().zip(ticks()).context("no process's times")?;
    Ok(Duration::from_millis((user + system) * 10))
}

/// A program that will have the first core, where there are two and `taskset` is installed.
pub(crate) fn on_the_first_core(program: &std::ffi::OsStr) -> Command {
    if !has_two_cores() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

/// Leaves the first core to the server.
pub(crate) fn take_the_second_core() -> Result<()> {
    if has_two_cores() {
        let own = std::process::id().to_string();
        Command::new("taskset")
            .args(["--all-tasks", "--cpu-list", "--pid", "1", &own])
            .output()?;
    }
    Ok(())
}

/// Whether server and load can be kept apart.
pub(crate) fn has_two_cores() -> bool {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let has_taskset = Command::new("taskset").arg("--version").output().is_ok();
    has_taskset && online.trim() != "0" && !online.is_empty()
}

/// The processor's name.
pub(crate) fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split_once(':'));
    name.map_or_else(
        || "an unknown processor".to_owned(),
        |(_, name)| name.trim().to_owned(),
    )
}

const LENGTH: Duration = Duration::from_secs(1);
