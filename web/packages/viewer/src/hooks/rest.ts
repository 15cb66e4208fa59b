// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";

/** A value that waits while a button is down: nothing may move under the hand that draws. */
export function useAtRest(now: boolean): boolean {
  const [shown, setShown] = useState(now);
  const down = useRef(false);
  useEffect(() => {
    const press = () => void (down.current = true);
    const lift = () => void (down.current = false);
    addEventListener("pointerdown", press, true);
    addEventListener("pointerup", lift, true);
    addEventListener("pointercancel", lift, true);
    return () => {
      removeEventListener("pointerdown", press, true);
      removeEventListener("pointerup", lift, true);
      removeEventListener("pointercancel", lift, true);
    };
  }, []);
  useEffect(() => {
    if (!down.current) return setShown(now);
    const settle = () => setShown(now);
    addEventListener("pointerup", settle);
    addEventListener("pointercancel", settle);
    return () => {
      removeEventListener("pointerup", settle);
      removeEventListener("pointercancel", settle);
    };
  }, [now]);
  return shown;
}
