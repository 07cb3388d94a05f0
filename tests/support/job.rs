//! Runs of the program itself, as a user starts it, and what they leave behind.

use super::judges::{Said, run};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// True when everything is asked for, not a fixed sample (`PRESSWORK_CORPUS=full`).
pub fn in_full() -> bool {
    std::env::var_os("PRESSWORK_CORPUS").is_some_and(|v| v == "full")
}

/// The program, started from the repository's folder with its own defaults.
pub fn presswork() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
    command.current_dir(root());
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("PRESSWORK_") || name.starts_with("RAYON_") {
            command.env_remove(&key);
        }
    }
    command
}

/// The JSON files of a folder, sorted.
pub fn json_files(folder: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a readable folder").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    assert!(!files.is_empty(), "{} holds no orders", folder.display());
    files
}

/// Every order of the fixtures.
pub fn orders() -> Vec<PathBuf> {
    json_files("fixtures/orders")
}

/// The orders that are printed in sRGB, whose documents look like their pictures everywhere.
pub fn rgb_orders() -> Vec<PathBuf> {
    let mut all = orders();
    all.retain(|order| space(&profile(json(order)["profile"].as_str().unwrap())) == "srgb");
    all
}

/// The colour space of a profile's documents.
pub fn space(profile: &toml::Table) -> &str {
    profile["color"]["space"].as_str().unwrap()
}

/// The orders whose file name has one of these words in it; every word has to name one.
pub fn orders_named(words: &[&str]) -> Vec<PathBuf> {
    let name = |f: &PathBuf| f.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let all = orders();
    for word in words {
        assert!(all.iter().any(|f| name(f).contains(word)), "no order's name has {word} in it");
    }
    all.into_iter().filter(|f| words.iter().any(|word| name(f).contains(word))).collect()
}

/// Reads JSON.
pub fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// `presswork render ORDER… --out DIR`.
pub fn render<P: AsRef<OsStr>>(orders: impl IntoIterator<Item = P>, out: &Path) -> Said {
    run(presswork().arg("render").args(orders).arg("--out").arg(out))
}

/// Renders orders that all have to succeed.
pub fn render_well<P: AsRef<OsStr>>(orders: impl IntoIterator<Item = P>, out: &Path) {
    let said = render(orders, out);
    assert!(said.code == Some(0), "exit {:?}\n{}{}", said.code, said.stdout, said.stderr);
}

/// The `job_id` of an order's file.
pub fn job_id(order: &Path) -> String {
    json(order)["job_id"].as_str().unwrap_or_else(|| panic!("{}: no job_id", order.display())).to_owned()
}

/// A job's result event.
pub fn result(out: &Path, job_id: &str) -> Value {
    json(&out.join(job_id).join("result.json"))
}

/// A job's files of one output (`pdf`, `png`, `preview`) with their entries in the result.
pub fn artifacts(out: &Path, job_id: &str, output: &str) -> Vec<(PathBuf, Value)> {
    let event = result(out, job_id);
    let list = event["data"]["artifacts"].as_array().expect("a list of artifacts").clone();
    list.into_iter()
        .filter(|a| a["output"] == output)
        .map(|a| (out.join(job_id).join(a["uri"].as_str().expect("an artifact has a uri")), a))
        .collect()
}

/// A render profile's file.
pub fn profile(name: &str) -> toml::Table {
    let path = root().join("render-profiles").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A number of a profile, or what stands when it says nothing.
pub fn number(table: &toml::Table, key: &str, default: f64) -> f64 {
    match table.get(key) {
        Some(toml::Value::Float(value)) => *value,
        Some(toml::Value::Integer(value)) => *value as f64,
        _ => default,
    }
}

/// How a profile lays a surface onto the pixels: scaled, then mirrored, then turned.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// The surface's area that is shown, in mm of the trim box: x, y, width, height.
    pub area: [f64; 4],
    pub dpi: f64,
    pub scale: [f64; 2],
    pub mirror: bool,
    pub quarter_turns: u32,
}

impl Grid {
    /// The grid of a PNG, from its profile and its entry in the result.
    pub fn of(profile: &toml::Table, artifact: &Value) -> Grid {
        let bleed = profile.get("area").and_then(toml::Value::as_str) == Some("bleed");
        let sides = &artifact["boxes"][0][if bleed { "bleed" } else { "trim" }];
        let area: Vec<f64> = (0..4).map(|i| sides[i].as_f64().expect("a box has four numbers")).collect();
        let scale = [number(profile, "scale_x", 1.0), number(profile, "scale_y", 1.0)];
        let quarter_turns = (number(profile, "rotate", 0.0) as u32 / 90) % 4;
        // The file's own: turned back to the surface's. Bleed is the same on opposite sides.
        let [x, y, w, h] = if quarter_turns % 2 == 1 {
            [area[1], area[0], area[3], area[2]]
        } else {
            [area[0], area[1], area[2], area[3]]
        };
        Grid {
            area: [x / scale[0], y / scale[1], w / scale[0], h / scale[1]],
            dpi: number(profile, "dpi", 0.0),
            scale,
            mirror: profile.get("mirror").and_then(toml::Value::as_bool).unwrap_or(false),
            quarter_turns,
        }
    }

    /// Columns and rows.
    pub fn pixels(&self) -> (u32, u32) {
        let px = |mm: f64, scale: f64| (mm * scale / 25.4 * self.dpi + 1e-6).round() as u32;
        let (w, h) = (px(self.area[2], self.scale[0]), px(self.area[3], self.scale[1]));
        if self.quarter_turns % 2 == 1 { (h, w) } else { (w, h) }
    }

    /// A rectangle of the surface (mm: x0, y0, x1, y1) on the pixels.
    pub fn place(&self, [x0, y0, x1, y1]: [f64; 4]) -> super::picture::PxBox {
        let [left, top, width, height] = self.area;
        let (mut x0, mut x1) = ((x0 - left) * self.scale[0], (x1 - left) * self.scale[0]);
        let (mut y0, mut y1) = ((y0 - top) * self.scale[1], (y1 - top) * self.scale[1]);
        let (mut w, mut h) = (width * self.scale[0], height * self.scale[1]);
        if self.mirror {
            (x0, x1) = (w - x1, w - x0);
        }
        for _ in 0..self.quarter_turns {
            // Clockwise: what was up points right.
            (x0, y0, x1, y1) = (h - y1, x0, h - y0, x1);
            (w, h) = (h, w);
        }
        // The pixels fit the area exactly.
        let (columns, rows) = self.pixels();
        let (x, y) = (f64::from(columns) / w, f64::from(rows) / h);
        super::picture::PxBox::new(x0 * x, y0 * y, x1 * x, y1 * y)
    }
}
