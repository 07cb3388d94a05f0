//! A private RabbitMQ node: its own folder, cookie, ports and name service.
use crate::support::ports::free_port;
use crate::support::wait::{http_ok, until};
use base64::Engine;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const BIN: &str = "/usr/lib/rabbitmq/bin";

pub(crate) struct Rabbit {
    folder: TempDir,
    pub(crate) port: u16,
    management: u16,
    distribution: u16,
    names: u16,
    /// The name service, which nodes would otherwise leave behind.
    epmd: Child,
    child: Option<Child>,
}

impl Rabbit {
    /// Starts a node and waits until it serves.
    pub(crate) fn start() -> Rabbit {
        Rabbit::start_with("")
    }

    /// The same, with more lines of configuration.
    pub(crate) fn start_with(more: &str) -> Rabbit {
        let program = Path::new(BIN).join("rabbitmq-server");
        assert!(program.exists(), "rabbitmq is missing: apt-get install -y rabbitmq-server");
        let folder = TempDir::new().unwrap();
        let (port, management, names) = (free_port(), free_port(), free_port());
        let epmd = Command::new("epmd")
            .args(["-port", &names.to_string(), "-address", "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|_| panic!("epmd is missing: apt-get install -y rabbitmq-server"));
        let distribution = free_port();
        let mut rabbit = Rabbit { folder, port, management, distribution, names, epmd, child: None };
        rabbit.write_configuration(more);
        rabbit.boot();
        rabbit
    }

    fn write_configuration(&self, more: &str) {
        use std::os::unix::fs::PermissionsExt;
        let base = self.folder.path();
        std::fs::create_dir(base.join("mnesia")).unwrap();
        std::fs::create_dir(base.join("log")).unwrap();
        let cookie = base.join(".erlang.cookie");
        let mut noise = [0; 24];
        std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
        let letters: String = noise.iter().map(|byte| char::from(b'A' + byte % 26)).collect();
        std::fs::write(&cookie, letters).unwrap();
        std::fs::set_permissions(&cookie, std::fs::Permissions::from_mode(0o400)).unwrap();
        std::fs::write(base.join("enabled_plugins"), "[rabbitmq_management].").unwrap();
        let configuration = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {}\n\
             vm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\n\
             log.console = false\n{more}",
            self.port, self.management
        );
        std::fs::write(base.join("rabbitmq.conf"), configuration).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let base = self.folder.path();
        let mut command = Command::new(Path::new(BIN).join(program));
        let loopback = "-kernel inet_dist_use_interface {127,0,0,1}";
        command
            .env("HOME", base)
            .env("RABBITMQ_NODENAME", format!("pw{}@localhost", self.port))
            .env("RABBITMQ_MNESIA_BASE", base.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", base.join("log"))
            .env("RABBITMQ_CONFIG_FILE", base.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", base.join("enabled_plugins"))
            .env("RABBITMQ_CONF_ENV_FILE", base.join("env.conf"))
            .env("RABBITMQ_PID_FILE", base.join("pid"))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution.to_string())
            .env("ERL_EPMD_PORT", self.names.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", format!("{loopback} +S 2:2"))
            .env("RABBITMQ_CTL_ERL_ARGS", loopback);
        command
    }

    fn boot(&mut self) {
        use std::os::unix::process::CommandExt;
        let log = std::fs::File::create(self.folder.path().join("stdout.log")).unwrap();
        let mut command = self.command("rabbitmq-server");
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log).process_group(0);
        let mut child = command.spawn().unwrap();
        let guest = base64::prelude::BASE64_STANDARD.encode("guest:guest");
        until("RabbitMQ", || {
            let ended = child.try_wait().unwrap();
            let said = || std::fs::read_to_string(self.folder.path().join("stdout.log"));
            assert!(ended.is_none(), "RabbitMQ ended: {}", said().unwrap_or_default());
            // The management comes up before the listeners do.
            http_ok(self.management, "/api/health/checks/local-alarms", Some(&guest))
                && std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        self.child = Some(child);
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f?heartbeat=4", self.port)
    }

    /// Runs rabbitmqctl.
    pub(crate) fn control(&self, args: &[&str]) {
        let output = self.command("rabbitmqctl").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What rabbitmqctl says.
    pub(crate) fn said(&self, args: &[&str]) -> String {
        let output = self.command("rabbitmqctl").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The broker's own process: the server's script is only its parent.
    pub(crate) fn pid(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("pid")).ok().map(|pid| pid.trim().to_owned())
    }

    /// kill -9.
    pub(crate) fn crash(&mut self) {
        self.end("-KILL");
    }

    /// Stops it in good order.
    pub(crate) fn stop(&mut self) {
        self.end("-TERM");
    }

    fn end(&mut self, signal: &str) {
        if let Some(pid) = self.pid() {
            drop(Command::new("kill").args([signal, &pid]).status());
        }
        if let Some(mut child) = self.child.take() {
            if signal == "-KILL" {
                drop(child.kill());
            }
            drop(child.wait());
        }
    }

    /// Starts it again, with what it had on disk.
    pub(crate) fn restart(&mut self) {
        // Its name is free only once its predecessor has been forgotten.
        std::thread::sleep(std::time::Duration::from_millis(500));
        self.boot();
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.crash();
        drop(self.epmd.kill());
        drop(self.epmd.wait());
    }
}
