typedef int bl__nn_placeholder;
