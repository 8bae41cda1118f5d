//! menuconfig in a terminal. With tmux, a test can press keys and read the screen.

use super::machine;
use crate::support::{Output, Prefix, prepared};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// How long to wait for the text on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A terminal with one program in it.
struct Screen<'a> {
    prefix: &'a Prefix,
    socket: String,
}

impl<'a> Screen<'a> {
    /// Starts the command in a terminal, which stays open after the command's end.
    fn start(prefix: &'a Prefix, command: &str) -> Self {
        let socket = prefix.join("screen").display().to_string();
        let screen = Self { prefix, socket };
        let command = format!("{command}; echo \"it ended with $?\"; cat");
        screen
            .tmux(&["new-session", "-d", "-x", "80", "-y", "24", &command])
            .success();
        screen
    }

    fn tmux(&self, args: &[&str]) -> Output {
        let words = ["-S", &self.socket, "-f", "/dev/null"];
        self.prefix.command("tmux", words.iter().chain(args))
    }

    /// Presses keys, by tmux's names.
    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat()).success();
    }

    /// Waits until the screen has the text.
    #[track_caller]
    fn shows(&self, text: &str) {
        let start = Instant::now();
        loop {
            let output = self.tmux(&["capture-pane", "-p"]).success();
            if output.stdout.contains(text) {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "no {text:?} on\n{}",
                output.stdout
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn menuconfig_works_in_a_terminal_and_saves_changes() {
    let mut prefix = machine();
    prefix.set("LC_ALL", "C.UTF-8");
    fs::create_dir(prefix.join("out")).expect("a directory");
    let make = format!(
        "{}-xkmake -s -C '{}' O='{}' HOSTCFLAGS=-O0",
        super::ARM,
        prepared("kernel").display(),
        prefix.join("out").display()
    );
    let tiny = format!("{make} tinyconfig");
    prefix.command("/bin/sh", ["-c", &tiny]).success();
    let symbol = "CONFIG_COMPILE_TEST";
    assert!(
        prefix
            .read("out/.config")
            .contains(&format!("# {symbol} is not set"))
    );

    let screen = Screen::start(&prefix, &format!("{make} menuconfig"));
    screen.shows("Linux/arm 6");
    screen.press(&["Enter"]);
    screen.shows("[ ] Compile also drivers");
    screen.press(&["y"]);
    screen.shows("[*] Compile also drivers");
    // Moves to the button that leaves a menu.
    screen.press(&["Tab", "Enter"]);
    screen.shows("General setup  --->");
    screen.press(&["Tab", "Enter"]);
    screen.shows("Do you wish to save");
    screen.press(&["Enter"]);
    screen.shows("it ended with 0");
    assert!(prefix.read("out/.config").contains(&format!("{symbol}=y")));
}
