typedef int bl__figure_placeholder;
