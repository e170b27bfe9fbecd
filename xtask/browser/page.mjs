// Drives Chromium over a report page: `node page.mjs FOLDER CHECK PAGE [ARGUMENT]` prints one line of JSON.
//
// FOLDER is where `npm ci` put playwright-core and axe-core. The checks measure and report; what is right is decided by
// the tests that call them (harness/vbench/tests/browser.rs).
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder, check, file, argument] = process.argv;
const require = createRequire(join(folder, "package.json"));
const { chromium } = require("playwright-core");
const url = pathToFileURL(file).href;

const browser = await chromium.launch({
  executablePath: process.env.VBENCH_CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-component-update", "--disable-background-networking"],
});

// A page that notes everything it should not do.
async function open({ hash = "", width = 1280, height = 900, scheme = "light", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, ...options });
  const page = await context.newPage();
  const noted = { console: [], errors: [], requests: [], dialogs: [] };
  page.on("console", (message) => noted.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => noted.errors.push(error.message));
  page.on("request", (request) => { if (!request.url().startsWith("data:")) noted.requests.push(request.url().split("#")[0]); });
  page.on("dialog", (dialog) => { noted.dialogs.push(dialog.message()); dialog.dismiss(); });
  await page.goto(url + hash, { waitUntil: "load" });
  return { page, noted, context };
}

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

// Milliseconds until what `act` does (source text that may use `n`) is painted: median of five.
async function painted(page, act) {
  const times = [];
  for (let n = 0; n < 5; n++) {
    // As text, because the page's policy forbids making functions of text within it.
    times.push(await page.evaluate(`(async () => {
      const n = ${n};
      const began = performance.now();
      { ${act} }
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      return performance.now() - began;
    })()`));
  }
  return median(times);
}

const texts = (page, selector) => page.$$eval(selector, (all) => all.map((e) => e.textContent.trim()));

const checks = {
  // Loads, waits, and tells what the page said and asked for.
  async load() {
    const { page, noted } = await open();
    await page.waitForTimeout(300);
    const state = await page.evaluate(() => ({
      script: document.documentElement.classList.contains("js"),
      sideways: document.documentElement.scrollWidth > innerWidth,
      rows: document.querySelectorAll("#cells tbody tr").length,
    }));
    return { ...noted, url, ...state };
  },

  // What a reader without script has.
  async plain() {
    const { page, noted } = await open({ javaScriptEnabled: false });
    const visible = async (selector) => (await page.locator(selector).filter({ visible: true }).count());
    return {
      ...noted,
      headline: await visible(".headline .value"),
      strata: await visible("#strata tbody tr"),
      worst: await visible(".worst .alignment"),
      players: await visible("audio"),
      list: await visible("#cells .browser"),
      notice: await visible("#cells noscript p"),
    };
  },

  // Sorts and filters the table of a property by keyboard, as a reader without a mouse would.
  async tables() {
    const { page, noted } = await open();
    const section = page.locator('section:has(> h3:text-is("By condition"))');
    const names = () => section.locator("tbody tr:not([hidden]) th bdi").allTextContents();
    const rates = () => section.locator("tbody tr:not([hidden])").evaluateAll((rows) => rows.map((r) => [...r.cells].filter((c) => c.dataset.sort)[2].dataset.sort));
    const before = await names();
    const button = section.locator("thead button", { hasText: /^WER %$/ });
    await button.focus();
    await page.keyboard.press("Enter");
    const down = { names: await names(), rates: await rates(), aria: await section.locator("thead th:has(button)", { hasText: /^WER %$/ }).getAttribute("aria-sort") };
    await page.keyboard.press("Space");
    const up = { rates: await rates(), aria: await section.locator("thead th:has(button)", { hasText: /^WER %$/ }).getAttribute("aria-sort") };
    const input = section.locator("input[type=search]");
    await input.fill("NOISE");
    const filtered = await names();
    const status = await section.locator("[role=status]").textContent();
    await input.fill("");
    return { ...noted, before, down, up, filtered, status, after: (await names()).length };
  },

  // The list of all cells: filter, sort, open by keyboard, deep link, link from a stratum, pages.
  async cells() {
    const { page, noted } = await open();
    const count = () => page.locator("#cells [data-part=count]").textContent();
    const all = await count();
    await page.locator("#cells [data-filter=errors]").fill("2");
    const least = { count: await count(), errors: await texts(page, "#cells tr.cell > td.num:nth-of-type(3)") };
    await page.locator("#cells [data-part=clear]").click();
    await page.locator("#cells [data-filter=condition]").selectOption({ index: 1 });
    const condition = { chosen: await page.$eval("#cells [data-filter=condition]", (s) => s.selectedOptions[0].textContent), shown: await texts(page, "#cells tr.cell > td:nth-of-type(2)") };
    await page.locator("#cells [data-part=clear]").click();
    const button = page.locator("#cells button.open").first();
    await button.focus();
    await page.keyboard.press("Enter");
    const opened = {
      expanded: await button.getAttribute("aria-expanded"),
      facts: await page.$$eval("#cells tr.detail dt", (all) => Object.fromEntries(all.map((t) => [t.textContent, t.nextElementSibling.textContent]))),
      alignment: await page.$$eval("#cells tr.detail .alignment li", (all) => all.map((li) => [li.className, li.querySelector("del")?.textContent ?? null, li.querySelector("ins")?.textContent ?? (li.className === "hit" ? li.textContent : null)])),
      hash: await page.evaluate(() => location.hash),
    };
    await page.keyboard.press("Space");
    const closed = { expanded: await button.getAttribute("aria-expanded"), details: await page.locator("#cells tr.detail").count() };
    await page.locator("#strata a[data-show][data-by=accent]").first().click();
    const stratum = { link: await page.locator("#strata a[data-show][data-by=accent]").first().textContent(), count: await count(), chips: await texts(page, "#cells .chip") };
    const linked = await open({ hash: opened.hash });
    const deep = {
      open: await linked.page.$$eval("#cells button.open[aria-expanded=true]", (all) => all.map((b) => b.textContent)),
      focused: await linked.page.evaluate(() => document.activeElement.textContent),
      inView: await linked.page.evaluate(() => { const box = document.activeElement.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }),
    };
    await page.evaluate(() => { location.hash = "#cells?by.constructor=x&by.__proto__=y"; });
    await page.waitForFunction(() => document.querySelectorAll("#cells .chip").length === 2);
    const odd = await count();
    return { ...noted, odd, all, least, condition, opened, closed, stratum, deep };
  },

  // Times of a page with many cells, in milliseconds.
  async speed() {
    const { page, noted } = await open();
    const set = (part, value) => `const f = document.querySelector('#cells [data-filter=${part}]'); f.value = ${value}; f.dispatchEvent(new Event("input", { bubbles: true }));`;
    const nth = (key) => `document.querySelector('#cells th[data-key=${key}] button').click();`;
    const timing = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
    const ms = {
      sort_number: await painted(page, nth("wer")),
      sort_name: await painted(page, nth("utterance")),
      filter_text: await painted(page, set("text", `["moving", "tropical", "harb", "speaker-003", ""][n]`)),
      filter_errors: await painted(page, set("errors", "String(n % 3)")),
      filter_condition: await painted(page, set("condition", "String(n % 2)")),
      open_row: await painted(page, "document.querySelectorAll('#cells button.open')[n].click();"),
      next_page: await painted(page, "document.querySelector('#cells [data-part=next]').click();"),
    };
    return { ...noted, load: timing, ms, rows: await page.locator("#cells tr.cell").count(), count: await page.locator("#cells [data-part=count]").textContent() };
  },

  // Plays the first player for a moment.
  async audio() {
    const { page, noted } = await open();
    const played = await page.evaluate(async () => {
      const audio = document.querySelector("audio");
      if (!audio) return null;
      audio.volume = 0;
      await audio.play();
      const until = performance.now() + 5000;
      while (audio.currentTime === 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 20));
      return { time: audio.currentTime, duration: audio.duration };
    });
    return { ...noted, played };
  },

  // Every text that the page shows of its cells, opened, as JSON; and every element that the page should not hold.
  async hostile() {
    const { page, noted } = await open();
    const seen = [];
    const foreign = { elements: [], handlers: [], links: [] };
    const strange = "img, iframe, object, embed, form, style, link, base, main script, svg[onload], marquee, video, math";
    for (;;) {
      await page.$$eval("#cells button.open", (all) => all.forEach((b) => b.click()));
      seen.push(...await page.$$eval("#cells tr.detail", (all) => all.map((line) => ({
        facts: Object.fromEntries([...line.querySelectorAll("dt")].map((t) => [t.textContent, t.nextElementSibling.textContent])),
      }))));
      const here = await page.evaluate((strange) => ({
        elements: [...document.body.querySelectorAll(strange)].map((e) => e.outerHTML.slice(0, 200)),
        handlers: [...document.querySelectorAll("*")].flatMap((e) => e.getAttributeNames().filter((a) => a.startsWith("on")).map((a) => `${e.tagName} ${a}`)),
        links: [...document.querySelectorAll("[href],[src]")].map((e) => e.getAttribute("href") ?? e.getAttribute("src")).filter((to) => !to.startsWith("#") && !to.startsWith("data:audio/")),
      }), strange);
      for (const what of Object.keys(foreign)) foreign[what].push(...here[what]);
      if (await page.locator("#cells [data-part=next]").isDisabled()) break;
      await page.locator("#cells [data-part=next]").click();
    }
    await page.locator("#cells [data-filter=text]").fill("<script>");
    const found = await page.locator("#cells [data-part=count]").textContent();
    Object.assign(foreign, await page.evaluate(() => ({ scripts: document.scripts.length, flag: window.hacked ?? null })));
    await page.waitForTimeout(200);
    return { ...noted, url, seen, found, foreign };
  },

  // Problems that axe-core calls serious or critical, with a row open. axe is evaluated in a page whose policy is off.
  async axe() {
    const source = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
    const problems = [];
    for (const scheme of ["light", "dark"]) {
      for (const width of [1280, 390]) {
        const { page, context } = await open({ scheme, width, bypassCSP: true, reducedMotion: "reduce" });
        const button = page.locator("#cells button.open").first();
        if (await button.count()) await button.click();
        for (const details of await page.$$("details")) await details.evaluate((d) => { d.open = true; });
        await page.evaluate(source);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        for (const v of violations) problems.push({ scheme, width, impact: v.impact, id: v.id, nodes: v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")}: ${n.failureSummary}`.slice(0, 400)) });
        await context.close();
      }
    }
    return { problems };
  },

  // Pictures of the page at desktop and phone width, light and dark, and on paper; ARGUMENT is the folder.
  async screenshots() {
    const files = [];
    let sideways = [];
    for (const scheme of ["light", "dark"]) {
      for (const [name, width, height] of [["desktop", 1280, 900], ["phone", 390, 844]]) {
        const { page, context } = await open({ scheme, width, height, reducedMotion: "reduce" });
        const button = page.locator("#cells button.open").first();
        if (await button.count()) await button.click();
        if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) sideways.push(`${name} ${scheme}`);
        const path = join(argument, `${name}-${scheme}.png`);
        await page.screenshot({ path, fullPage: true });
        files.push(path);
        await context.close();
      }
    }
    const { page } = await open();
    const path = join(argument, "paper.pdf");
    await page.pdf({ path, format: "A4", printBackground: true });
    files.push(path);
    return { files, sideways };
  },
};

try {
  console.log(JSON.stringify(await checks[check]()));
} finally {
  await browser.close();
}
