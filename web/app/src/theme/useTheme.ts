// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { useApp } from "../state/app.ts";

/** The theme in force: what was chosen, or what the system says. Sets it on the page. */
export function useTheme(): "light" | "dark" {
  const chosen = useApp((s) => s.preferences.theme);
  const [system, setSystem] = useState(() => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") as "light" | "dark");
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const change = () => setSystem(query.matches ? "dark" : "light");
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, []);
  const theme = chosen === "system" ? system : chosen;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return theme;
}
