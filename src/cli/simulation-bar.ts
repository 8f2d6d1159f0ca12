/** How far a simulation is. */
export const BAR = '{bar} {percentage}% of {total} tasks, {eta_formatted} left';
