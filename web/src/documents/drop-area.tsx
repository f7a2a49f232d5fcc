import { type DragEvent, type ReactNode, useRef, useState } from "react";
import { Icon } from "../elements/icon";

interface DropAreaProps {
  onFiles: (files: Iterable<File>) => void;
  children: ReactNode;
}

/** Takes files that are dropped anywhere on the page. */
export function DropArea({ onFiles, children }: DropAreaProps) {
  const [isOver, setIsOver] = useState(false);
  // Moving over a child leaves the parent, so entries and leaves are counted.
  const depth = useRef(0);

  const move = (by: number) => (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current += by;
    setIsOver(depth.current > 0);
  };
  const drop = (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setIsOver(false);
    onFiles(Array.from(event.dataTransfer.files));
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button says the same to a keyboard.
    <div
      className="drop-area"
      onDragEnter={move(1)}
      onDragLeave={move(-1)}
      onDragOver={move(0)}
      onDrop={drop}
    >
      {children}
      {isOver && (
        <div className="drop-hint">
          <Icon name="documents" />
          <p>Drop to add to your documents</p>
        </div>
      )}
    </div>
  );
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer.types.includes("Files");
}
