import { expect, test } from "vitest";
import { placeQuote } from "./quote-place";

test("a quote is found where it stands", () => {
  expect(placeQuote("Dogs are welcome. Cats too.", "Cats too.", 18)).toEqual({
    start: 18,
    end: 27,
  });
});

test("of two that are the same, the one the server means is found", () => {
  expect(placeQuote("No. Yes. No. Yes.", "Yes.", 13)).toEqual({ start: 13, end: 17 });
  expect(placeQuote("No. Yes. No. Yes.", "Yes.", 4)).toEqual({ start: 4, end: 8 });
});

test("the server counts code points, the browser units", () => {
  const passage = "😀😀😀 a 😀 a";
  expect(placeQuote(passage, "a", 8)).toEqual({ start: 12, end: 13 });
});

test("a quote that is not there has no place", () => {
  expect(placeQuote("Dogs are welcome.", "Cats", 0)).toBeNull();
  expect(placeQuote("Dogs are welcome.", "", 0)).toBeNull();
});
