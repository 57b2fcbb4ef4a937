// The page without this can be read; with it, a run is seen as it goes on.
"use strict";

// What Telegram hands to a Mini App stands behind the address's #.
function enterFromTelegram(note) {
  const data = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
  if (!data) {
    note.textContent = "Open this from Telegram: /web in your private chat with the bot.";
    return;
  }
  history.replaceState(null, "", location.pathname + location.search);
  fetch("/app", { method: "POST", body: new URLSearchParams({ data }) }).then((answer) => {
    const to = new URLSearchParams(location.search).get("to") || "/";
    if (answer.ok) location.replace(/^\/(?![\/\\])/.test(to) ? to : "/");
    else note.textContent = "Telegram's word was not taken. Close this, and open it again with /web.";
  });
}

function follow(steps) {
  const words = document.getElementById("words");
  const events = new EventSource(steps.dataset.live);
  const isAtEnd = () => innerHeight + scrollY > document.body.scrollHeight - 120;
  const grow = (change) => {
    const stays = isAtEnd();
    change();
    if (stays) scrollTo(0, document.body.scrollHeight);
  };
  events.addEventListener("item", (event) => grow(() => {
    const come = document.createElement("template");
    come.innerHTML = event.data;
    for (const item of [...come.content.children]) {
      if (item.dataset.of) fold(steps, item);
      else {
        steps.append(item);
        words.textContent = "";
      }
    }
  }));
  events.addEventListener("words", (event) => grow(() => { words.textContent += event.data; }));
  // A run that waited has begun, or never will: then everything is another one.
  events.addEventListener("head", () => steps.dataset.waits ? location.reload() : refreshHead());
  events.addEventListener("over", () => {
    events.close();
    location.reload();
  });
}

// A step of a subagent comes in a fold; the page has one for each subagent, below its call.
function fold(steps, come) {
  const find = (name) => steps.querySelector(`[data-${name}="${CSS.escape(come.dataset.of)}"]`);
  const there = find("of");
  const call = find("call");
  if (there) {
    const list = there.querySelector("ol");
    list.append(...come.querySelector("ol").children);
    const count = [...list.children].filter((item) => !item.dataset.of).length;
    there.querySelector(".count").textContent = `${count} steps`;
  } else if (call) call.after(come);
  else steps.append(come);
}

// What somebody is writing, or has opened, stays.
async function refreshHead() {
  const head = document.getElementById("head");
  if (head.contains(document.activeElement) && document.activeElement.matches("textarea")) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("head");
  if (fresh) head.replaceWith(fresh);
}

// A form is sent once, however often its button is touched.
addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

const app = document.getElementById("app");
if (app) enterFromTelegram(app);
const steps = document.getElementById("steps");
if (steps && steps.dataset.live) follow(steps);
