// SPDX-License-Identifier: Apache-2.0

/** A moment that precesses about the field. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 24 24" aria-label="Larmor">
      <path d="M12 22V3" stroke="var(--faint)" strokeWidth="1.6" strokeLinecap="round" />
      <ellipse cx="12" cy="7" rx="8.4" ry="3.4" fill="none" stroke="var(--accent)" strokeWidth="1.9" />
      <path d="M12 22L19.2 8.6" stroke="var(--text)" strokeWidth="2.3" strokeLinecap="round" />
      <circle cx="19.4" cy="8.2" r="2.3" fill="var(--accent)" />
    </svg>
  );
}
