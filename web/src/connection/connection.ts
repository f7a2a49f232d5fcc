import { type ClientCommand, parseFrame } from "../wire/frames";
import type { Effect, Input, Link, Timer } from "./link";
import { step } from "./step";

/** Holds the page's one socket and the timers, and does what `step` says. It holds no rules. */
export class Connection {
  private shown: Link;
  private socket: WebSocket | null = null;
  private readonly timers = new Map<Timer, ReturnType<typeof setTimeout>>();
  private readonly listeners = new Set<() => void>();
  private paint: number | null = null;

  constructor(
    private readonly url: string,
    private link: Link,
    /** Writes down what a reloaded page needs. */
    private readonly keep: (link: Link) => void,
  ) {
    this.shown = link;
  }

  /** Opens the first socket, and another one whenever the machine comes back. */
  start(): void {
    this.put({ kind: "woke" });
    addEventListener("online", this.attend);
    addEventListener("pagehide", this.attend);
    document.addEventListener("visibilitychange", this.attend);
  }

  /** Takes one input in. */
  put(input: Input): void {
    const { link, effects } = step(this.link, input, Math.random());
    const isNewQuestion = link.submissions !== this.link.submissions;
    this.link = link;
    // A question is written down before it is sent: a reload between the two must not lose it.
    if (isNewQuestion) this.keep(link);
    for (const effect of effects) this.perform(effect);
    // What arrives between two frames of the screen is painted once.
    this.paint ??= requestAnimationFrame(this.show);
  }

  /** Returns the link as it is now, ahead of what is on the screen. */
  current = (): Link => this.link;

  /** Returns the link as the screen shows it; the same object until listeners are told. */
  snapshot = (): Link => this.shown;

  /** Calls `listener` after each change, at most once for each frame of the screen. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private readonly show = (): void => {
    this.paint = null;
    this.shown = this.link;
    for (const listener of this.listeners) listener();
  };

  private readonly attend = (event: Event): void => {
    if (event.type === "pagehide" || document.hidden) this.keep(this.link);
    else this.put({ kind: "woke" });
  };

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case "connect":
        return this.connect();
      case "drop":
        return this.drop();
      case "send":
        return this.send(effect.command);
      case "schedule":
        return this.schedule(effect.timer, effect.seconds);
    }
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    // A socket that was let go of may still speak; nobody listens to it.
    const heard = (input: Input): void => {
      if (this.socket === socket) this.put(input);
    };
    socket.onopen = () => heard({ kind: "opened" });
    socket.onclose = ({ code }) => heard({ kind: "closed", code });
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const frame = parseFrame(data);
      if (frame) heard({ kind: "frame", frame });
    };
  }

  private drop(): void {
    this.socket?.close();
    this.socket = null;
  }

  private send(command: ClientCommand): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(command));
  }

  private schedule(timer: Timer, seconds: number): void {
    clearTimeout(this.timers.get(timer));
    const elapsed = () => this.put({ kind: "elapsed", timer });
    this.timers.set(timer, setTimeout(elapsed, seconds * 1000));
  }
}
