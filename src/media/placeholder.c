typedef int bl__media_placeholder;
