//! How fast Keyfob is on one core, and how near to what the core could do at all.
//!
//! `cargo bench --bench speed` starts the release build of `keyfob serve` on a core of its own, puts
//! load on it from another one, and measures in the same run what that core can do without
//! Keyfob: RSA-2048 and ECDSA signatures, argon2id hashes, bare actix routes, durable writes. It
//! prints a table in Markdown, and fails only if an answer is wrong, never because one is slow.
//!
//! `--database URL` takes another database than a new SQLite file; it must be empty. `--seconds`
//! is the length of each measurement, `--connections` how many requests there are at once,
//! `--only WORD` measures what has the word in its name, and `--program FILE` another build.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock of the machine"
)]

mod arguments;
mod bare;
mod connection;
mod endpoints;
mod load;
mod machine;
mod report;
mod seeds;
mod server;
mod sign_in;
mod signed;
mod tokens;

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;

use arguments::{Arguments, Role};
use endpoints::Bench;
use machine::Limits;
use report::Table;
use seeds::Seeds;
use server::Server;

fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    match arguments.role {
        Role::Nothing => writeln!(
            std::io::stdout(),
            "run the benchmark with: cargo bench --bench speed"
        )?,
        Role::Limits => machine::measure_limits()?,
        Role::Bare { port } => bare::serve(port)?,
        Role::Bench => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, run(&arguments))?;
        }
    }
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<()> {
    machine::take_the_second_core()?;
    let limits = Limits::measure(arguments)?;
    let directory = tempfile::tempdir()?;
    let settings = server::Settings::new(arguments, directory.path())?;
    let mut table = Table::new(limits);

    table.start("keyfob dev", server::dev_start(arguments)?);
    let (server, first) = Server::start(&settings)?;
    drop(server);
    table.start("keyfob serve, making its keys", vec![first]);
    let seeds = Seeds::plant(&settings).await?;
    let mut starts = Vec::new();
    for _ in 1..arguments.starts {
        let (server, elapsed) = Server::start(&settings)?;
        drop(server);
        starts.push(elapsed);
    }
    let (server, elapsed) = Server::start(&settings)?;
    starts.push(elapsed);
    table.start("keyfob serve", starts);

    tokio::time::sleep(Duration::from_millis(500)).await;
    let idle = server.resident()?;
    let mut bench = Bench::new(arguments, &server, settings.issuer(), &seeds, table);
    bench.run().await?;
    let mut table = bench.finish();
    table.memory(idle, server.resident()?);
    table.print(arguments, &settings)
}
