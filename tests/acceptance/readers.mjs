// What two npm packages read in a feed: `node readers.mjs PACKAGE FILE` prints one entry a line.
import { readFileSync } from "node:fs";

const [, , library, file] = process.argv;
const text = readFileSync(file, "utf8");

// An RSS guid and an Atom or JSON id are the same thing here, and so are the three kinds of text.
const read = {
  async feedsmith() {
    const { parseFeed } = await import("feedsmith");
    const { feed } = parseFeed(text);
    return (feed.entries ?? feed.items).map((entry) => ({
      id: entry.id ?? entry.guid.value,
      title: entry.title.value ?? entry.title,
      link: entry.links?.find((link) => (link.rel ?? "alternate") === "alternate").href ?? entry.link ?? entry.url,
      published: entry.published ?? entry.pubDate ?? entry.date_published ?? null,
      updated: entry.updated ?? entry.date_modified ?? null,
      text:
        entry.content?.value ?? entry.content?.encoded ?? entry.content_html ?? entry.content_text ??
        entry.summary?.value ?? entry.description ?? "",
    }));
  },
  async "rss-parser"() {
    const { default: Parser } = await import("rss-parser");
    const { items } = await new Parser().parseString(text);
    return items.map((item) => ({
      id: item.id ?? item.guid,
      title: item.title,
      link: item.link,
      published: item.isoDate,
      updated: null,
      text: item["content:encoded"] ?? item.content ?? item.summary ?? "",
    }));
  },
};

for (const entry of await read[library]()) console.log(JSON.stringify(entry));
