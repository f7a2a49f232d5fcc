import { type ComponentProps, useRef } from "react";
import { READABLE } from "./upload";

interface AddButtonProps extends ComponentProps<"button"> {
  onFiles: (files: Iterable<File>) => void;
}

/** A button that lets somebody choose files. */
export function AddButton({ onFiles, children, ...rest }: AddButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" {...rest} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={READABLE}
        onChange={({ target }) => {
          onFiles(Array.from(target.files ?? []));
          // The same file may be chosen again.
          target.value = "";
        }}
      />
    </>
  );
}
