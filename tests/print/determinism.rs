//! The same orders give the same bytes: with other numbers of threads, in another process, on
//! processors without AVX2, and with another choice of the C library's functions.

use crate::support::job::{in_full, job_id, json, orders, orders_named, presswork};
use crate::support::judges::{run, scratch};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// SHA-256 of every file below a folder; a result without its timings.
fn digests(out: &Path, orders: &[PathBuf]) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for order in orders {
        let id = job_id(order);
        let entries = std::fs::read_dir(out.join(&id)).unwrap_or_else(|e| panic!("{id}: {e}"));
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = if name == "result.json" {
                let mut event = json(&path);
                event["data"]["timings"].take();
                event.to_string().into_bytes()
            } else {
                std::fs::read(&path).unwrap()
            };
            digests.insert(format!("{id}/{name}"), hex::encode(Sha256::digest(&bytes)));
        }
    }
    assert!(digests.len() > orders.len(), "there are files beside the results");
    digests
}

/// Renders the orders in a process of its own, set up by `set`.
fn rendered(
    name: &str,
    orders: &[PathBuf],
    set: impl FnOnce(Command) -> Command,
) -> BTreeMap<String, String> {
    let out = scratch(&format!("determinism-{name}"));
    let mut command = presswork();
    command.arg("render").args(orders).arg("--out").arg(&out);
    let said = run(&mut set(command));
    assert!(said.code == Some(0), "{name}: exit {:?}\n{}{}", said.code, said.stdout, said.stderr);
    let digests = digests(&out, orders);
    std::fs::remove_dir_all(&out).unwrap();
    digests
}

fn with_env(mut command: Command, key: &str, value: &str) -> Command {
    command.env(key, value);
    command
}

fn assert_same(name: &str, first: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    let differing: Vec<&String> =
        first.keys().chain(other.keys()).filter(|file| first.get(*file) != other.get(*file)).collect();
    assert!(differing.is_empty(), "{name} makes other bytes: {differing:?}");
}

#[test]
fn threads_processes_and_the_c_library_change_no_byte() {
    let orders = orders();
    let one = rendered("one-thread", &orders, |c| with_env(c, "RAYON_NUM_THREADS", "1"));
    let plain = |c| with_env(c, "GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable");
    let many = |c| with_env(c, "RAYON_NUM_THREADS", "5");
    let other = rendered("five-threads-plain-libc", &orders, |c| plain(many(c)));
    assert_same("five threads, or a C library without AVX2 and FMA,", &one, &other);
    // Each alone, and as many threads as processors.
    if in_full() {
        assert_same("five threads", &one, &rendered("five-threads", &orders, many));
        assert_same("a C library without AVX2 and FMA", &one, &rendered("plain-libc", &orders, plain));
        let two = rendered("two-threads", &orders, |c| with_env(c, "RAYON_NUM_THREADS", "2"));
        assert_same("two threads", &one, &two);
    }
}

/// Emulation is slow: the smallest products stand for all, unless all are asked for.
#[test]
fn an_older_processor_changes_no_byte() {
    let orders = if in_full() { orders() } else { orders_named(&["pen", "tag"]) };
    let here = rendered("here", &orders, |c| c);
    let older = rendered("nehalem", &orders, |native| {
        let mut command = Command::new("qemu-x86_64");
        command.args(["-cpu", "Nehalem"]).arg(native.get_program()).args(native.get_args());
        for (key, value) in native.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command.current_dir(native.get_current_dir().expect("a folder to start in"));
        command
    });
    assert_same("a processor without AVX", &here, &older);
}
