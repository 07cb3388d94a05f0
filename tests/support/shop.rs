//! A shop of a test's own: a folder with a catalog, a render profile, assets and orders, for
//! cases that the fixtures should not show.

use super::job::presswork;
use super::judges::{Said, run, scratch};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A scratch folder that `presswork render` finds its way about in.
pub struct Shop {
    pub folder: PathBuf,
}

impl Shop {
    /// An empty shop with the render profile `plain`: 300 dpi, PNG on nothing, and PDF.
    pub fn new(name: &str) -> Shop {
        let shop = Shop { folder: scratch(name) };
        for folder in ["catalog", "assets", "orders", "profiles"] {
            std::fs::create_dir(shop.folder.join(folder)).unwrap();
        }
        let profile = "schema = \"presswork.profile/1\"\ntitle = \"Plain\"\ndpi = 300\n\
                       outputs = [\"pdf\", \"png\"]\n[color]\nspace = \"srgb\"\n";
        shop.write("profiles/plain.toml", profile.as_bytes());
        shop
    }

    /// Writes a file of the shop.
    pub fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Adds the template `id@1` with these fields and surfaces, printed with `plain`.
    pub fn template(&self, id: &str, fields: Value, surfaces: Value) {
        let template = json!({
            "schema": "presswork.template/1", "name": id, "profiles": ["plain"],
            "fields": fields, "surfaces": surfaces,
        });
        self.write(&format!("catalog/{id}/1/template.json"), template.to_string().as_bytes());
    }

    /// Writes an order for `template@1`; `more` is laid over the plain one.
    pub fn order(&self, job_id: &str, template: &str, more: Value) -> PathBuf {
        let mut order = json!({
            "schema": "presswork.order/1", "job_id": job_id,
            "template": format!("{template}@1"), "profile": "plain",
        });
        for (key, value) in more.as_object().unwrap() {
            order[key] = value.clone();
        }
        self.write(&format!("orders/{job_id}.json"), order.to_string().as_bytes())
    }

    /// `presswork render` with the shop's folders, into `out`; one event a line.
    pub fn command(&self, orders: &[PathBuf], out: &Path) -> Command {
        let mut command = presswork();
        command.arg("render").args(orders).arg("--out").arg(out).arg("--json");
        for folder in ["catalog", "assets", "profiles"] {
            command.arg(format!("--{folder}")).arg(self.folder.join(folder));
        }
        command
    }

    /// Renders orders; gives what was said and one event an order.
    pub fn render(&self, orders: &[PathBuf], out: &Path) -> (Said, Vec<Value>) {
        let said = run(&mut self.command(orders, out));
        let events = events(&said);
        assert_eq!(events.len(), orders.len(), "one event an order:\n{}\n{}", said.stdout, said.stderr);
        (said, events)
    }
}

/// The events that `--json` printed.
pub fn events(said: &Said) -> Vec<Value> {
    said.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

/// The codes of an event's errors.
pub fn codes(event: &Value) -> Vec<&str> {
    let errors = event["data"]["errors"].as_array().expect("an event lists its errors");
    errors.iter().filter_map(|e| e["code"].as_str()).collect()
}

/// A real photo, from Debian's `mate-backgrounds`: 3840×2160, baseline JPEG.
pub fn real_photo() -> PathBuf {
    let path = PathBuf::from("/usr/share/backgrounds/mate/abstract/Elephants_3840x2160.jpg");
    assert!(path.exists(), "{} is missing: apt-get install -y mate-backgrounds", path.display());
    path
}

/// The real photo as a baseline JPEG of this size.
pub fn photo(size: (u32, u32), quality: u8) -> Vec<u8> {
    let name = format!("{}x{}-{quality}", size.0, size.1);
    let to = scratch(&format!("photo-{name}-{}", std::process::id())).join("photo.jpg");
    let mut command = Command::new("convert");
    command.arg(real_photo()).args(["-resize", &format!("{}x{}!", size.0, size.1)]);
    command.args(["-interlace", "none", "-sampling-factor", "4:2:0", "-quality", &quality.to_string()]);
    let said = run(command.arg(&to));
    assert!(said.code == Some(0), "convert: {}", said.stderr);
    let bytes = std::fs::read(&to).unwrap();
    std::fs::remove_dir_all(to.parent().unwrap()).unwrap();
    bytes
}

/// A surface of this size in mm with these layers.
pub fn surface(name: &str, size: (f64, f64), layers: Value) -> Value {
    json!({ "name": name, "width": size.0, "height": size.1, "layers": layers })
}
