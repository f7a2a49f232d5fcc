import { expect, test } from "vitest";
import { split } from "./citation-marks";

function pieces(value: string): string[] {
  return split({ type: "text", value }).map((node) => {
    const isMark = node.data && "hName" in node.data;
    return "value" in node ? (isMark ? `<${node.value}>` : node.value) : "";
  });
}

test("marks are cut out of running text and hang on the word before them", () => {
  expect(pieces("Dogs are welcome [1], cats too [12].")).toEqual([
    "Dogs are welcome",
    "<1>",
    ", cats too",
    "<12>",
    ".",
  ]);
});

test("several sources in one pair of brackets are several marks", () => {
  expect(pieces("So it is [1, 3].")).toEqual(["So it is", "<1>", "<3>", "."]);
});

test("brackets without a number stay as they are", () => {
  expect(pieces("an [example] and a[i]")).toEqual(["an [example] and a[i]"]);
});
