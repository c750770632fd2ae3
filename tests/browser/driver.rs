//! Chromium without a window, driven through chromedriver: as much of the WebDriver protocol as the tests need.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What an element is called in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser with one page. It ends with this value.
pub struct Browser {
    runtime: Runtime,
    http: reqwest::Client,
    session: String,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub fn start() -> Self {
        // There is one already where a test of this process came first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Runtime::new().unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed: `.ci/run` says how");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap);
        let started = lines.find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = started.expect("chromedriver says on which port it listens");
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));

        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless",
            // The profile is thrown away, and the pages are our own: a sandbox could not be made by root.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            "--window-size=1280,900",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": arguments},
        }}});
        let mut browser =
            Self { runtime, http, session: format!("http://127.0.0.1:{port}/session"), driver, _profile: profile };
        let answer = browser.send("", Some(capabilities));
        let id = answer["sessionId"].as_str().unwrap().to_owned();
        browser.session = format!("{}/{id}", browser.session);
        // What a new browser shows by itself is none of ours.
        browser.send("/url", Some(json!({"url": "about:blank"})));
        browser.settle();
        browser.console();
        browser.requests();
        browser
    }

    /// Opens a file, and waits until it is there and quiet.
    pub fn open(&self, page: &Path) -> &Self {
        self.send("/url", Some(json!({"url": format!("file://{}", page.display())})));
        self.settle();
        self
    }

    /// Waits until the page has drawn what it was told to.
    pub fn settle(&self) {
        let script = "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 250);";
        self.send("/execute/async", Some(json!({"script": script, "args": []})));
    }

    /// What a piece of script returns.
    pub fn ask(&self, script: &str) -> Value {
        self.send("/execute/sync", Some(json!({"script": format!("return {script};"), "args": []})))
    }

    pub fn text(&self, selector: &str) -> String {
        self.ask(&format!("document.querySelector({selector:?}).textContent")).as_str().unwrap().to_owned()
    }

    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.send(&format!("/element/{element}/click"), Some(json!({})));
        self.settle();
    }

    /// Types into a field in place of what stands there.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.send(&format!("/element/{element}/clear"), Some(json!({})));
        self.send(&format!("/element/{element}/value"), Some(json!({"text": text})));
        self.settle();
    }

    /// Presses a key, wherever the focus is.
    pub fn press(&self, key: char) {
        let actions = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let source = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.send("/actions", Some(source));
        self.settle();
    }

    /// Chooses of a list what has this value.
    pub fn choose(&self, list: &str, value: &str) {
        self.click(&format!("{list} option[value={value:?}]"));
    }

    /// The values that a list offers, each with what a reader sees.
    pub fn offered(&self, list: &str) -> Vec<(String, String)> {
        let options = self.ask(&format!("[...document.querySelectorAll('{list} option')].map(o => [o.value, o.text])"));
        serde_json::from_value(options).unwrap()
    }

    /// A command of the protocol that Chromium's own tools speak.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.send("/goog/cdp/execute", Some(json!({"cmd": command, "params": parameters})))
    }

    /// Everything that was said on the console since it was asked for last.
    pub fn console(&self) -> Vec<Value> {
        self.log("browser")
    }

    /// Every address that was asked for since this was asked for last.
    pub fn requests(&self) -> Vec<String> {
        let messages = self.log("performance").into_iter().map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            message["message"].clone()
        });
        let sent = messages.filter(|message| message["method"] == "Network.requestWillBeSent");
        sent.map(|message| message["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// What is in sight, as a PNG.
    pub fn picture(&self) -> Vec<u8> {
        STANDARD.decode(self.send("/screenshot", None).as_str().unwrap()).unwrap()
    }

    /// The page on paper, as a PDF.
    pub fn print(&self) -> Vec<u8> {
        let paper = json!({"page": {"width": 21.0, "height": 29.7}, "background": false});
        STANDARD.decode(self.send("/print", Some(paper)).as_str().unwrap()).unwrap()
    }

    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
        self.settle();
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.send("/se/log", Some(json!({"type": kind}))).as_array().unwrap().clone()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.send("/element", Some(json!({"using": "css selector", "value": selector})));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn send(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.session);
        let answer: Value = self.runtime.block_on(async {
            let request = match &body {
                Some(body) => self.http.post(&url).json(body),
                None => self.http.get(&url),
            };
            request.send().await.unwrap().json().await.unwrap()
        });
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path} {body:?}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, the driver with its process.
        let _ = self.runtime.block_on(self.http.delete(&self.session).send());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
