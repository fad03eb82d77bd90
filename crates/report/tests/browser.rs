//! The page in a real browser: at the widths of a phone, a tablet and a desk it fits, its letters are large enough,
//! and the words of its charts do not run into each other. Light and dark.
//!
//! Not part of the ordinary tests, since it needs a browser: `cargo test -p whyfirst-report --test browser`.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use experiment::findings::fixture::Fixture;
use whyfirst_report as report;

const WIDTHS: [u32; 3] = [360, 820, 1280];

/// Measures the page in frames of each width, with everything folded open, and leaves one line per problem.
const MEASURE: &str = r#"
<!doctype html><meta charset="utf-8">
<style>iframe { border: 0; height: 2000px; display: block }</style>
FRAMES
<pre id="result"></pre>
<script>
const found = [];
function measure(frame) {
  const page = frame.contentDocument, width = frame.width, say = text => found.push(`${width}: ${text}`);
  page.querySelectorAll("details").forEach(fold => fold.open = true);
  if (page.documentElement.scrollWidth > width) say(`the page is ${page.documentElement.scrollWidth} wide`);
  page.querySelectorAll("main *").forEach(element => {
    const box = element.getBoundingClientRect();
    if (box.right > Number(width) + 1 && !element.closest(".scroll, svg")) say(`<${element.localName}> ends at ${box.right}`);
  });
  page.querySelectorAll("svg").forEach(chart => {
    const name = chart.querySelector("title").textContent, texts = [...chart.querySelectorAll("text")];
    const scale = chart.getBoundingClientRect().width / chart.viewBox.baseVal.width;
    texts.forEach(text => {
      const size = parseFloat(frame.contentWindow.getComputedStyle(text).fontSize) * scale;
      if (size < 9.5) say(`${name}: "${text.textContent}" is ${size.toFixed(1)} high`);
    });
    const boxes = texts.filter(text => text.textContent).map(text => [text.textContent, text.getBBox()]);
    boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
      const across = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x);
      const down = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
      if (across > 1 && down > 5) say(`${name}: "${a}" runs into "${b}"`);
    }));
  });
  const style = frame.contentWindow.getComputedStyle(page.body);
  return `${style.backgroundColor} ${style.color}`;
}
addEventListener("load", () => {
  const colours = [...document.querySelectorAll("iframe")].map(measure);
  document.getElementById("result").textContent = ["measured " + colours[0], ...found].join("\n");
});
</script>
"#;

/// The first browser there is.
fn browser() -> &'static str {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let there =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|found| found.status.success());
    names.into_iter().find(there).expect("this test needs a browser; on Debian: apt-get install chromium")
}

/// What the measurement left, for one page: colours, then problems.
fn measured(page: &Path, dark: bool) -> (String, Vec<String>) {
    let folder = page.parent().unwrap();
    let frame = |width: &u32| {
        format!("<iframe width=\"{width}\" src=\"{}\"></iframe>", page.file_name().unwrap().display())
    };
    let frames: String = WIDTHS.iter().map(frame).collect();
    let wrapper = folder.join("measure.html");
    std::fs::write(&wrapper, MEASURE.replace("FRAMES", &frames)).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(browser());
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--allow-file-access-from-files",
        ])
        .args(["--window-size=1400,2400", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }))
        .arg(format!("file://{}", wrapper.display()));
    let output = command.output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let result = dom.split_once("<pre id=\"result\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (result, _) =
        result.unwrap_or_else(|| panic!("no result: {}", String::from_utf8_lossy(&output.stderr)));
    let mut lines = result.lines().map(str::to_owned);
    (lines.next().unwrap_or_default(), lines.collect())
}

#[test]
fn the_page_fits_and_reads_at_three_widths() {
    let failed = vec![("values first".to_owned(), Some("homeland".to_owned()), 1)];
    let fixtures = [
        Fixture { doses: true, failed, ..Fixture::default() },
        Fixture { seeds: vec![0], ..Fixture::default() },
    ];
    for fixture in fixtures {
        let folder = tempfile::tempdir().unwrap();
        let page = report::write(&fixture.findings(), folder.path()).unwrap();
        let (light, problems) = measured(&page, false);
        assert!(light.starts_with("measured rgb(253"), "a light page: {light}");
        assert_eq!(problems, Vec::<String>::new());
        let (dark, problems) = measured(&page, true);
        assert!(dark.starts_with("measured rgb(23"), "a dark page: {dark}");
        assert_eq!(problems, Vec::<String>::new());
    }
}
